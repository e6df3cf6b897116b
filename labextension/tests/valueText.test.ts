import { findDifference, isWorthComparing, shorten, showInvisible } from '../src/strip/valueText';

test('a long value is shortened in its middle', () => {
  const long = 'a'.repeat(200) + 'z'.repeat(60);
  expect(shorten('short')).toBe('short');
  expect(shorten(long)).toMatch(/^a{80} … z{40}$/);
});

test('invisible characters are replaced by symbols', () => {
  expect(showInvisible('a\tb\u00a0c  \nd ')).toBe('a→b⍽c··\nd·');
  expect(showInvisible('a b')).toBe('a b');
});

test.each([
  ['abcde', 'abXde', { before: 'ab', expected: 'c', got: 'X', after: 'de' }],
  ['aa', 'aaa', { before: 'aa', expected: '', got: 'a', after: '' }],
  ['same', 'same', { before: 'same', expected: '', got: '', after: '' }],
  ['', 'x', { before: '', expected: '', got: 'x', after: '' }]
])('the difference of %j and %j', (expected, got, parts) => {
  expect(findDifference(expected, got)).toEqual(parts);
});

test('only two long values are worth comparing', () => {
  expect(isWorthComparing('x'.repeat(40), 'y'.repeat(40))).toBe(true);
  expect(isWorthComparing('x'.repeat(40), 'y')).toBe(false);
  expect(isWorthComparing(null, 'y'.repeat(40))).toBe(false);
});
