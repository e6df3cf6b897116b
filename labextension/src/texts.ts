/**
 * Sentences of the panel that combine several values: points, the headline of a verdict, progress, announcements for screen readers.
 * Labels of states and outcomes are in labels.ts, messages of the grader in feedbackTexts.ts.
 *
 * Everywhere in the panel, a function that only returns a text is named after the text (`headline`, `pointsText`), like a component.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { feedbackText } from './feedbackTexts';
import { outcomeLabel, type Outcome } from './labels';
import type { ExerciseSubmission } from './submissions';
import type { TestReply, VerdictReply } from './wire';

/** Points as people write them: 2, 1.5. */
export function formatPoints(points: number): string {
  return String(Math.round(points * 100) / 100);
}

export function pointsOfText(points: number, maxPoints: number, trans: TranslationBundle): string {
  return trans._n('%2 of %1 point', '%2 of %1 points', maxPoints, formatPoints(points));
}

export function pointsText(points: number, trans: TranslationBundle): string {
  return points === 1 ? trans.__('1 point') : trans.__('%1 points', formatPoints(points));
}

/** The verdict in one line. */
export function headline(verdict: VerdictReply, trans: TranslationBundle): string {
  switch (verdict.outcome) {
    case 'passed':
      return trans.__('Solved');
    case 'failed':
      return failedHeadline(verdict.tests, trans);
    case 'crashed':
      return trans.__('Not yet — Python crashed');
    case 'timed-out':
      return trans.__('Not yet — your code took too long');
    case 'needs-grading':
      return trans.__('Submitted — awaiting manual grading');
    case 'grader-error':
      return trans.__('Grader failed — this attempt does not count');
    case 'not-checked':
      return outcomeLabel(verdict.outcome, trans);
  }
}

/** Counts tests only if some are listed: after an error that stopped all of them, "0 of 3" would be misleading. */
function failedHeadline(tests: readonly TestReply[], trans: TranslationBundle): string {
  const passedCount = tests.filter(test => test.outcome === 'passed').length;
  return tests.some(test => test.is_listed)
    ? trans._n('Not yet — %2 of %1 test passed', 'Not yet — %2 of %1 tests passed', tests.length, passedCount)
    : trans.__('Not yet');
}

/** The most likely cause of an outcome, for a verdict without a reason. */
export function likelyCause(outcome: Outcome, trans: TranslationBundle): string {
  switch (outcome) {
    case 'timed-out':
      return trans.__('The most likely cause is a loop whose condition never becomes false.');
    case 'crashed':
      return trans.__('The most likely cause is a function that calls itself endlessly, or a value that grows too large.');
    case 'not-checked':
      return trans.__('An earlier cell stopped the notebook. Fix that cell first, then check again.');
    default:
      return '';
  }
}

/** The progress of a submission, for the button and the result; "" if none is in progress. */
export function progressText(submission: ExerciseSubmission | null, trans: TranslationBundle): string {
  switch (submission?.state) {
    case 'queued':
      if (submission.queuePosition && submission.queuePosition > 1) {
        return trans.__('Queued, position %1', submission.queuePosition);
      }
      return busyText(submission, trans);
    case 'sending':
    case 'running':
      return busyText(submission, trans);
    case 'waiting':
      return trans.__('Waiting for the hub');
    default:
      return '';
  }
}

function busyText({ kind }: ExerciseSubmission, trans: TranslationBundle): string {
  return kind === 'final' ? trans.__('Grading…') : trans.__('Checking…');
}

/** The result of a check as a screen reader announces it. */
export function announcement(title: string, submission: ExerciseSubmission, trans: TranslationBundle): string {
  if (submission.error) {
    return `${title}: ${submission.error.message} ${submission.error.advice}`.trim();
  }
  if (submission.graderError || !submission.verdict) {
    return `${title}: ${feedbackText(trans, submission.graderError ?? { code: 'grader-error', params: {} })}`;
  }
  const { points, max_points, reason } = submission.verdict;
  const reasonText = reason ? feedbackText(trans, reason) : '';
  const result = `${headline(submission.verdict, trans)}. ${pointsOfText(points, max_points, trans)}.`;
  return `${title}: ${result} ${reasonText}`.trim();
}
