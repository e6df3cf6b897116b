/**
 * Decides what a result shows, without repetition: one headline, one reason, then the tests.
 *
 * The grader gives a verdict the message of its worst test, and the name of a test is often the author's sentence for the case that the
 * values are wrong. Where an error stopped the tests before they compared anything, that sentence would be misleading: such tests are
 * counted in one line below the error.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { feedbackText } from '../feedbackTexts';
import { outcomeLabel } from '../labels';
import type { MessageReply, TestReply, VerdictReply } from '../wire';

/** Messages of tests that were evaluated to their end. */
const EVALUATED_CODES: ReadonlySet<string> = new Set([
  'test-differs',
  'test-not-met',
  'test-message',
  'partial-credit',
  'invalid-credit',
  'hidden-test-failed'
]);
/** Messages that repeat the headline. */
const HEADLINE_CODES: ReadonlySet<string> = new Set(['solved', 'needs-grading', 'grader-error']);

export interface ResultSummary {
  /** Shown below the headline; null if the headline or a test contains it. */
  readonly reason: MessageReply | null;
  /** The cell and line that the reason points to. */
  readonly location: { readonly cell: string; readonly line: number } | null;
  /** Tests that are shown one by one. */
  readonly tests: readonly TestReply[];
  /** Tests that could not be evaluated and are only counted. */
  readonly unevaluatedCount: number;
}

export function summarizeResult(verdict: VerdictReply): ResultSummary {
  const shownTests = verdict.tests.filter(test => isShown(test, verdict));
  const isReasonShown = shownTests.some(test => isSameMessage(test.message, verdict.message));
  const isReasonNeeded = verdict.message && !isInHeadline(verdict.message) && !isReasonShown;
  const reason = verdict.outcome !== 'passed' && isReasonNeeded ? verdict.message : null;
  const testWithReason = verdict.tests.find(test => isSameMessage(test.message, reason) && test.cell && test.line !== null);
  return {
    reason,
    location: testWithReason?.cell && testWithReason.line !== null ? { cell: testWithReason.cell, line: testWithReason.line } : null,
    tests: shownTests,
    // The headline of every other outcome says that the tests did not run.
    unevaluatedCount: verdict.outcome === 'failed' ? verdict.tests.length - shownTests.length : 0
  };
}

/** Whether a test compared values: it was neither skipped nor stopped by an error. */
export function isEvaluated({ outcome, message }: TestReply): boolean {
  return outcome === 'passed' || (outcome === 'failed' && (message === null || EVALUATED_CODES.has(message.code)));
}

/** Whether the headline of a verdict says the same as this message. */
export function isInHeadline(message: MessageReply): boolean {
  return HEADLINE_CODES.has(message.code);
}

/** A test that raised an error is shown as well, if other tests were evaluated and the error is its own. */
function isShown(test: TestReply, { tests }: VerdictReply): boolean {
  if (isEvaluated(test)) {
    return true;
  }
  const isOwnError = tests.filter(other => isSameMessage(other.message, test.message)).length === 1;
  const isLeftOut = test.outcome === 'not-checked' || test.message?.code === 'test-not-evaluated';
  return !isLeftOut && isOwnError && tests.some(isEvaluated);
}

function isSameMessage(first: MessageReply | null, second: MessageReply | null): boolean {
  return first !== null && second !== null && messageKey(first) === messageKey(second);
}

function messageKey({ code, params }: MessageReply): string {
  return JSON.stringify([code, Object.entries(params).sort()]);
}

/** The title of a test: the author's sentence, an expression, or a neutral name for a hidden test. */
export function testTitle(test: TestReply): { readonly text: string; readonly isCode: boolean } {
  const expression = test.message?.code === 'test-raised' ? test.message.params.expression : undefined;
  if (expression && isSentence(test.name)) {
    return { text: expression, isCode: true };
  }
  return { text: test.name, isCode: !test.is_hidden && !isSentence(test.name) };
}

/** The sentence below a test's title; "" if title, label and values already say the same. */
export function testDetail(test: TestReply, trans: TranslationBundle): string {
  const { message, name, expected, got } = test;
  if (!message || message.code === 'hidden-test-failed') {
    return '';
  }
  const { expression, text } = message.params;
  const isRepeated =
    (message.code === 'test-differs' && (expected !== null || got !== null)) ||
    (message.code === 'test-not-met' && expression === name) ||
    (message.code === 'test-message' && trimmed(text ?? '') === trimmed(name));
  return isRepeated ? '' : feedbackText(trans, message);
}

/** The label beside a test's icon. A hidden test is not labelled as failed, because its expected value stays hidden. */
export function testLabel(test: TestReply, trans: TranslationBundle): string {
  return isUnpassedHidden(test) ? trans.__('Not passed yet') : outcomeLabel(test.outcome, trans);
}

export function isUnpassedHidden(test: TestReply): boolean {
  return test.is_hidden && test.outcome === 'failed';
}

/** Whether a test's name is a sentence of its author, rather than an expression. */
export function isSentence(name: string): boolean {
  // No expression in Python ends like a sentence, except for the rare `...`.
  return /\s.*[^.][.!?]$/su.test(name);
}

function trimmed(text: string): string {
  return text.replace(/[`.\s]+$/u, '');
}
