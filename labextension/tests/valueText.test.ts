import { cut, difference, visible, worthComparing } from '../src/strip/values';

test('a long value is cut in its middle and keeps both ends', () => {
  const long = 'a'.repeat(200) + 'z'.repeat(60);
  expect(cut('short')).toBe('short');
  expect(cut(long)).toMatch(/^a{80} … z{40}$/);
});

test('what the eye misses is shown', () => {
  expect(visible('a\tb\u00a0c  \nd ')).toBe('a→b⍽c··\nd·');
  expect(visible('a b')).toBe('a b');
});

test.each([
  ['abcde', 'abXde', { before: 'ab', expected: 'c', got: 'X', after: 'de' }],
  ['aa', 'aaa', { before: 'aa', expected: '', got: 'a', after: '' }],
  ['same', 'same', { before: 'same', expected: '', got: '', after: '' }],
  ['', 'x', { before: '', expected: '', got: 'x', after: '' }]
])('the difference of %j and %j', (expected, got, parts) => {
  expect(difference(expected, got)).toEqual(parts);
});

test('only long pairs are compared', () => {
  expect(worthComparing('x'.repeat(40), 'y'.repeat(40))).toBe(true);
  expect(worthComparing('x'.repeat(40), 'y')).toBe(false);
  expect(worthComparing(null, 'y'.repeat(40))).toBe(false);
});
