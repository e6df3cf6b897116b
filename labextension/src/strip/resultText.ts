/**
 * The texts of one test in a result. Which tests a result lists, and its one reason, are decided by the service
 * (`pmh_jupyter/domain/verdict_summary.py`).
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { feedbackText } from '../feedbackTexts';
import { outcomeLabel } from '../labels';
import type { TestReply } from '../wire';

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

/** The label beside a test's icon. A hidden test is not labeled as failed, because its expected value stays hidden. */
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
