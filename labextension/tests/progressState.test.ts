import { computeExerciseState, computeLessonState } from '../src/progressState';
import { SubmissionStore } from '../src/submissions';
import type { ProgressState } from '../src/labels';
import { exercise, lesson, submission, verdict } from './samples';

let submissions: SubmissionStore;

beforeEach(() => (submissions = new SubmissionStore()));

function stateOf(outlineState: ProgressState): ProgressState {
  return computeExerciseState('values', exercise('swap', { state: outlineState }), submissions);
}

test('an exercise is being graded from the moment it is sent', () => {
  expect(stateOf('not-started')).toBe('not-started');
  submissions.begin('s1', 'check', 'values', ['swap']);
  expect(stateOf('not-started')).toBe('grading');
});

test.each([
  ['passed', 'grading', 'done'],
  ['passed', 'not-started', 'done'],
  ['passed', 'in-progress', 'done'],
  ['passed', 'needs-attention', 'needs-attention'],
  ['failed', 'grading', 'in-progress'],
  // An answer that is still the stub is not an attempt.
  ['failed', 'not-started', 'not-started'],
  ['failed', 'done', 'done']
] as const)('a %s verdict counts before the outline is refreshed: %s becomes %s', (outcome, outlineState, expected) => {
  submissions.begin('s1', 'check', 'values', ['swap']);
  submissions.apply(submission('s1', { verdicts: [verdict('swap', { outcome })] }));
  expect(stateOf(outlineState)).toBe(expected);
});

test('another tab may have sent an exercise', () => {
  expect(stateOf('grading')).toBe('grading');
});

test('a lesson is being graded as long as one of its exercises is', () => {
  const exercises = ['swap', 'sum'].map(gradeId => exercise(gradeId, { state: 'grading' }));
  const twoExercises = lesson({ state: 'grading', exercises });
  submissions.apply(submission('s1', { verdicts: [verdict('swap', { outcome: 'passed' })] }));
  expect(computeLessonState(twoExercises, submissions)).toBe('grading');
  submissions.apply(submission('s2', { verdicts: [verdict('sum', { outcome: 'passed' })] }));
  expect(computeLessonState(twoExercises, submissions)).toBe('done');
  expect(computeLessonState({ ...twoExercises, state: 'needs-attention', exercises: [] }, submissions)).toBe('needs-attention');
});
