import { dueState, shortTime, wholeTime } from '../src/times';

const NOW = new Date('2026-03-02T10:00:00Z');

test.each([
  [null, null, 'none'],
  ['2026-03-04T17:00:00Z', null, 'near'],
  ['2026-04-04T17:00:00Z', null, 'far'],
  ['2026-03-01T17:00:00Z', null, 'missed'],
  ['2026-03-01T17:00:00Z', '2026-02-28T08:00:00Z', 'none']
])('due %s, submitted %s: %s', (due, submitted, state) => {
  expect(dueState(due, submitted, NOW)).toBe(state);
});

test('a near time has its weekday, a far one its date', () => {
  expect(shortTime('2026-03-04T17:00:00Z', NOW, 'en-GB')).toMatch(/^Wed/);
  expect(shortTime('2026-05-04T17:00:00Z', NOW, 'en-GB')).toBe('4 May');
});

test('the whole time names the classroom’s zone, and the reader’s where it differs', () => {
  const time = '2026-03-04T17:00:00Z';
  const whole = (own: string) => wholeTime(time, 'Europe/Zurich', own, 'en-GB').split('\n');
  const there = expect.stringMatching(/^Wednesday,? 4 March 2026 at 18:00 \(Europe\/Zurich\)$/);
  const here = expect.stringMatching(/^Thursday,? 5 March 2026 at 02:00 \(Asia\/Tokyo\)$/);
  expect(whole('Europe/Zurich')).toEqual([there]);
  expect(whole('Asia/Tokyo')).toEqual([there, here]);
});
