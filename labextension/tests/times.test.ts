import { nullTranslator } from '@jupyterlab/translation';

import { computeDueState, fullTime, shortTime, timeInSentence } from '../src/times';

const trans = nullTranslator.load('pmh_jupyter');
const NOW = new Date('2026-03-02T10:00:00Z');

test.each([
  [null, null, 'none'],
  ['2026-03-04T17:00:00Z', null, 'soon'],
  ['2026-04-04T17:00:00Z', null, 'later'],
  ['2026-03-01T17:00:00Z', null, 'missed'],
  ['2026-03-01T17:00:00Z', '2026-02-28T08:00:00Z', 'none']
])('a lesson due %s and submitted %s has the due state %s', (dueAt, submittedAt, state) => {
  expect(computeDueState(dueAt, submittedAt, NOW)).toBe(state);
});

test('a time within a week is shown with its weekday, another with its date', () => {
  expect(shortTime('2026-03-04T17:00:00Z', NOW, 'en-GB')).toMatch(/^Wed/);
  expect(shortTime('2026-05-04T17:00:00Z', NOW, 'en-GB')).toBe('4 May');
});

test('the full time names the classroom’s zone, and the reader’s where it differs', () => {
  const time = '2026-03-04T17:00:00Z';
  const lines = (ownZone: string) => fullTime(time, 'Europe/Zurich', ownZone, 'en-GB').split('\n');
  const inZurich = expect.stringMatching(/^Wednesday,? 4 March 2026 at 18:00 \(Europe\/Zurich\)$/);
  const inTokyo = expect.stringMatching(/^Thursday,? 5 March 2026 at 02:00 \(Asia\/Tokyo\)$/);
  expect(lines('Europe/Zurich')).toEqual([inZurich]);
  expect(lines('Asia/Tokyo')).toEqual([inZurich, inTokyo]);
});

test('a time within a sentence adds the reader’s time only where it differs', () => {
  const inZone = (ownZone: string) => timeInSentence('2026-03-04T17:00:00Z', 'Europe/Zurich', trans, ownZone);
  expect(inZone('Europe/Zurich')).toMatch(/\(Europe\/Zurich\)$/);
  expect(inZone('Asia/Tokyo')).toMatch(/\(Europe\/Zurich\), which is .*Thursday.* in your time zone$/);
});
