import { nullTranslator } from '@jupyterlab/translation';

import { feedbackText } from '../src/feedbackTexts';
import { PmhError } from '../src/request';
import type { ExerciseSubmission } from '../src/submissions';
import { announcement, formatPoints, pointsOfText, pointsText } from '../src/texts';
import { message, testReply, verdict } from './samples';

const trans = nullTranslator.load('pmh_jupyter');

describe('a message of the grader', () => {
  test.each([
    [message('solved'), 'Solved.'],
    [
      message('test-raised', { expression: 'f()', error: 'KeyError', detail: "'a'.", line: '2' }),
      "`f()` raised KeyError in line 2: 'a'."
    ],
    [message('test-raised', { expression: 'f()', error: 'KeyError' }), '`f()` raised KeyError.'],
    [message('test-differs', { expression: 'f()', got: '', expected: '1' }), '`f()` gave —, expected 1.'],
    [message('from-the-future'), 'Your server does not know this message yet. Restart it to update.']
  ])('%j becomes a sentence', (sent, sentence) => {
    expect(feedbackText(trans, sent)).toBe(sentence);
  });

  test.each(['"%d%% done" % 5', '%1 and %2', '{error}', '$& $1', '100%% sure'])(
    'the student’s value %s stays as it is',
    value => {
      expect(feedbackText(trans, message('test-message', { text: value }))).toBe(value);
    }
  );

  test('a message is translated before its values are filled in', () => {
    const translated = { ...trans, __: (text: string) => (text === '`{expression}` raised {error}.' ? '{error} bei {expression}' : text) };
    const raised = message('test-raised', { expression: 'f()', error: 'KeyError' });
    expect(feedbackText(translated as typeof trans, raised)).toBe('KeyError bei f()');
  });
});

test.each([
  [2, '2'],
  [1.5, '1.5'],
  [0.333, '0.33']
])('%d points are written as %s', (points, text) => {
  expect(formatPoints(points)).toBe(text);
});

test('points have a singular and a plural', () => {
  expect(pointsText(1, trans)).toBe('1 point');
  expect(pointsText(1.5, trans)).toBe('1.5 points');
  expect(pointsOfText(1, 1, trans)).toBe('1 of 1 point');
  expect(pointsOfText(0.5, 2, trans)).toBe('0.5 of 2 points');
});

describe('the announcement of a check', () => {
  const graded: ExerciseSubmission = {
    id: 's1',
    kind: 'check',
    state: 'graded',
    queuePosition: null,
    verdict: verdict('swap', { outcome: 'passed', points: 2 }),
    repairs: [],
    leftOut: [],
    graderError: null,
    error: null
  };

  test('the announcement of a solved exercise is its headline and points', () => {
    expect(announcement('Swap', graded, trans)).toBe('Swap: Solved. 2 of 2 points.');
  });

  test('the announcement of a failed exercise ends with the reason', () => {
    const failed = verdict('swap', {
      reason: message('test-differs', { expression: 'f()', got: '1', expected: '2' }),
      tests: [testReply({ outcome: 'failed', message: message('test-differs') })]
    });
    expect(announcement('Swap', { ...graded, verdict: failed }, trans)).toBe(
      'Swap: Not yet — 0 of 1 test passed. 0 of 2 points. `f()` gave 1, expected 2.'
    );
  });

  test('the announcement of a check that could not be sent is message and advice', () => {
    const error = new PmhError('conflict', 'No.', 'Reload.');
    expect(announcement('Swap', { ...graded, verdict: null, error }, trans)).toBe('Swap: No. Reload.');
  });

  test('the announcement of a grader error says that the attempt does not count', () => {
    const failed = { ...graded, verdict: null, graderError: message('grader-error') };
    expect(announcement('Swap', failed, trans)).toBe(
      'Swap: The grader failed. This attempt does not count.'
    );
  });
});
