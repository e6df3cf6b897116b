/**
 * Codes of the wire in words. Messages travel as code and parameters and become sentences here, in the reader's language.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ExerciseReply, TestReply, VerdictReply } from './wire';
import type { ExerciseWork } from './works';

type State = ExerciseReply['state'];
type Outcome = VerdictReply['outcome'];

export function stateWord(state: State, trans: TranslationBundle): string {
  const words: Record<State, string> = {
    new: trans.__('not begun'),
    begun: trans.__('begun'),
    grading: trans.__('being graded'),
    done: trans.__('done'),
    attention: trans.__('needs a look')
  };
  return words[state];
}

/** Points as people write them: 2, 1.5. */
export function amount(points: number): string {
  return String(Math.round(points * 100) / 100);
}

export function pointsOf(points: number, max: number, trans: TranslationBundle): string {
  return trans._n('%2 of %1 point', '%2 of %1 points', max, amount(points));
}

export function pointsWord(points: number, trans: TranslationBundle): string {
  return points === 1 ? trans.__('1 point') : trans.__('%1 points', amount(points));
}

/** The verdict in one line, said first and loudest. */
export function headline(verdict: VerdictReply, trans: TranslationBundle): string {
  const passed = verdict.tests.filter(test => test.outcome === 'passed').length;
  const all = verdict.tests.length;
  const words: Record<Outcome, string> = {
    passed: trans.__('Solved'),
    failed:
      all > 0 ? trans._n('Not yet — %2 of %1 test passed', 'Not yet — %2 of %1 tests passed', all, passed) : trans.__('Not yet'),
    crashed: trans.__('Not yet — Python stopped'),
    'timed-out': trans.__('Not yet — it took too long'),
    'not-checked': trans.__('Not checked'),
    'needs-grading': trans.__('Handed in — a person will read this'),
    'grader-error': trans.__('Our fault, not yours: this try does not count')
  };
  return words[verdict.outcome];
}

/** What a test's icon says. */
export function testWord(test: TestReply, trans: TranslationBundle): string {
  const words: Record<Outcome, string> = {
    passed: trans.__('passed'),
    failed: test.hidden ? trans.__('not passed yet') : trans.__('not yet'),
    crashed: trans.__('Python stopped'),
    'timed-out': trans.__('took too long'),
    'not-checked': trans.__('not checked'),
    'needs-grading': trans.__('a person will read this'),
    'grader-error': trans.__('could not be checked; our fault')
  };
  return words[test.outcome];
}

/** The usual cause where the hub itself has nothing more to say. */
export function usualCause(outcome: Outcome, trans: TranslationBundle): string {
  switch (outcome) {
    case 'timed-out':
      return trans.__('Usually a loop whose condition never becomes false.');
    case 'crashed':
      return trans.__('Usually a function that calls itself without an end, or a value that grows too large.');
    case 'not-checked':
      return trans.__('Something before this exercise stopped the notebook. Mend that first, then check again.');
    default:
      return '';
  }
}

/** What the button and the strip say while work is on its way; "" when it is not. */
export function progressWord(work: ExerciseWork | null, trans: TranslationBundle): string {
  switch (work?.state) {
    case 'sending':
    case 'running':
      return trans.__('Checking…');
    case 'queued':
      return work.position && work.position > 1 ? trans.__('Waiting, place %1', work.position) : trans.__('Checking…');
    case 'waiting':
      return trans.__('Kept until the hub is back');
    default:
      return '';
  }
}

/** A verdict for those who do not see the page: one sentence. */
export function spoken(title: string, work: ExerciseWork, trans: TranslationBundle): string {
  if (work.error) {
    return `${title}: ${work.error.message} ${work.error.advice}`;
  }
  if (work.fault || !work.verdict) {
    return `${title}: ${trans.__('Our fault, not yours: this try does not count')}. ${work.fault}`;
  }
  const { outcome, points, max_points, message } = work.verdict;
  const why = outcome === 'passed' ? '' : message;
  return `${title}: ${headline(work.verdict, trans)}. ${pointsOf(points, max_points, trans)}. ${why}`.trim();
}
