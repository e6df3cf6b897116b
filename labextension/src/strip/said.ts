/**
 * What a result says once. The hub gives a verdict the message of its first failing test, and a test's message often is its name with
 * a word around it; on the page they would stand below each other, saying the same.
 */
import type { TestReply, VerdictReply } from '../wire';

/** The sentence below the headline; "" where the headline or one of the tests says it already. */
export function summary({ outcome, message, tests }: VerdictReply): string {
  return outcome === 'passed' || tests.some(test => names(message, test)) ? '' : message;
}

/** The sentence below a test's name; "" where it adds nothing to `said` above, to the name, or to the values shown. */
export function detail(test: TestReply, said: string): string {
  const { message, expected, got } = test;
  const repeats = names(message, test) && (expected !== null || got !== null || endsWith(message, test.name));
  return message === said || repeats ? '' : message;
}

/** A name may be an expression or a whole sentence of the author's. */
export function isSentence(name: string): boolean {
  // No expression of Python ends like a sentence, but for the rare `...`.
  return /\s.*[^.][.!?]$/su.test(name);
}

function names(message: string, { name }: TestReply): boolean {
  return name !== '' && message.includes(name);
}

function endsWith(message: string, name: string): boolean {
  return bare(message).endsWith(bare(name));
}

function bare(text: string): string {
  return text.replace(/[`.\s]+$/u, '');
}
