/**
 * Makes values of students' programs readable: shows invisible characters, shortens long values, compares long pairs.
 */
const MAX_LENGTH = 120;
const END_LENGTH = 40;
const MIN_COMPARED_LENGTH = 30;

/** Shortens a long value in its middle; returns a short one unchanged. */
export function shorten(text: string, maxLength = MAX_LENGTH): string {
  if (text.length <= maxLength) {
    return text;
  }
  return `${text.slice(0, maxLength - END_LENGTH)} … ${text.slice(-END_LENGTH)}`;
}

const SYMBOLS: Readonly<Record<string, string>> = {
  '\t': '→',
  '\r': '␍',
  '\u00a0': '⍽',
  '\u200b': '∅',
  '\ufeff': '∅'
};

/** Replaces invisible characters by symbols: tabs, unusual spaces, and spaces at the end of a line. */
export function showInvisible(text: string): string {
  return text
    .replace(/[\t\r\u00a0\u200b\ufeff]/g, character => SYMBOLS[character] ?? character)
    .replace(/ +$/gm, spaces => '·'.repeat(spaces.length));
}

export interface TextDifference {
  readonly before: string;
  readonly expected: string;
  readonly got: string;
  readonly after: string;
}

/** Returns the common text at both ends of two texts, and the differing parts between them. */
export function findDifference(expected: string, got: string): TextDifference {
  const minLength = Math.min(expected.length, got.length);
  let start = 0;
  while (start < minLength && expected[start] === got[start]) {
    start += 1;
  }
  let end = 0;
  while (end < minLength - start && expected[expected.length - 1 - end] === got[got.length - 1 - end]) {
    end += 1;
  }
  return {
    before: expected.slice(0, start),
    expected: expected.slice(start, expected.length - end),
    got: got.slice(start, got.length - end),
    after: expected.slice(expected.length - end)
  };
}

/** Whether both texts are so long that a difference is hard to see. */
export function isWorthComparing(expected: string | null, got: string | null): boolean {
  return expected !== null && got !== null && Math.min(expected.length, got.length) > MIN_COMPARED_LENGTH;
}
