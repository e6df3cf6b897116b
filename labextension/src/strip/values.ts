/**
 * Values of students' programs made readable: invisible characters are shown, long values cut, long pairs compared.
 */
const LONGEST = 120;
const SHOWN_AT_END = 40;

/** Cuts a long value in its middle; the same text when it is short enough. */
export function cut(text: string, longest = LONGEST): string {
  if (text.length <= longest) {
    return text;
  }
  const head = longest - SHOWN_AT_END;
  return `${text.slice(0, head)} … ${text.slice(-SHOWN_AT_END)}`;
}

const INVISIBLE: Readonly<Record<string, string>> = {
  '\t': '→',
  '\r': '␍',
  '\u00a0': '⍽',
  '\u200b': '∅',
  '\ufeff': '∅'
};

/** Shows characters that the eye misses: tabs, odd spaces, and spaces at the end of a line. */
export function visible(text: string): string {
  return text
    .replace(/[\t\r\u00a0\u200b\ufeff]/g, character => INVISIBLE[character] ?? character)
    .replace(/ +$/gm, spaces => '·'.repeat(spaces.length));
}

export interface Difference {
  readonly before: string;
  readonly expected: string;
  readonly got: string;
  readonly after: string;
}

/** What two texts have in common at both ends, and the parts between that differ. */
export function difference(expected: string, got: string): Difference {
  const shorter = Math.min(expected.length, got.length);
  let start = 0;
  while (start < shorter && expected[start] === got[start]) {
    start += 1;
  }
  let end = 0;
  while (end < shorter - start && expected[expected.length - 1 - end] === got[got.length - 1 - end]) {
    end += 1;
  }
  return {
    before: expected.slice(0, start),
    expected: expected.slice(start, expected.length - end),
    got: got.slice(start, got.length - end),
    after: expected.slice(expected.length - end)
  };
}

/** Two texts are compared where reading them one after the other would be work. */
export function worthComparing(expected: string | null, got: string | null): boolean {
  return expected !== null && got !== null && Math.min(expected.length, got.length) > 30;
}
