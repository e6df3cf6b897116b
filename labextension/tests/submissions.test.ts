import { PmhError } from '../src/request';
import { isBusy, SubmissionStore, type FinishedExercise } from '../src/submissions';
import { message, submission, verdict } from './samples';

/** A store in which a check of one exercise was sent. */
function storeWithCheck(): { store: SubmissionStore; finished: FinishedExercise[] } {
  const store = new SubmissionStore();
  const finished: FinishedExercise[] = [];
  store.finished.connect((_, exercise) => finished.push(exercise));
  store.begin('s1', 'check', 'values', ['swap']);
  return { store, finished };
}

test('a check goes from sending to its verdict and finishes once', () => {
  const { store, finished } = storeWithCheck();
  expect(store.get('values', 'swap')).toMatchObject({ state: 'sending', verdict: null });
  store.accept({ id: 's1', kind: 'check', state: 'queued', receipt: null, left_out: [] });
  store.apply(submission('s1', { state: 'queued', queue_position: 3, verdicts: [] }));
  expect(store.get('values', 'swap')).toMatchObject({ state: 'queued', queuePosition: 3 });
  expect(store.pendingIds).toEqual(['s1']);
  store.apply(submission('s1'));
  store.apply(submission('s1'));
  expect(store.get('values', 'swap')).toMatchObject({ state: 'graded', verdict: { outcome: 'failed' } });
  expect(store.pendingIds).toEqual([]);
  expect(finished.map(({ gradeId }) => gradeId)).toEqual(['swap']);
});

test('the previous verdict stays while a newer check runs', () => {
  const { store } = storeWithCheck();
  store.apply(submission('s1'));
  store.begin('s2', 'check', 'values', ['swap']);
  expect(store.get('values', 'swap')).toMatchObject({ id: 's2', state: 'sending', verdict: { outcome: 'failed' } });
});

test('the verdict of an older submission does not finish a newer one', () => {
  const { store } = storeWithCheck();
  store.begin('s2', 'check', 'values', ['swap']);
  store.apply(submission('s1', { verdicts: [verdict('swap', { outcome: 'passed' })] }));
  const current = store.get('values', 'swap');
  expect(current).toMatchObject({ id: 's2', verdict: { outcome: 'passed' } });
  expect(isBusy(current)).toBe(true);
});

test('a submission that could not be sent keeps its error, one that failed at the hub its reason', () => {
  const { store, finished } = storeWithCheck();
  store.fail('s1', new PmhError('conflict', 'No.', 'Reload.'));
  expect(store.get('values', 'swap')).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
  store.begin('s2', 'check', 'values', ['swap']);
  store.apply(submission('s2', { state: 'failed', grader_error: message('grader-error'), verdicts: [] }));
  expect(store.get('values', 'swap')).toMatchObject({
    state: 'failed',
    graderError: { code: 'grader-error' },
    error: null
  });
  expect(finished).toHaveLength(2);
});

test('loading keeps the newest verdict of each exercise and waits for what is running', () => {
  const store = new SubmissionStore();
  store.load([
    submission('s4', { state: 'running', verdicts: [] }),
    submission('s3', { verdicts: [verdict('swap', { outcome: 'passed' })] }),
    submission('s2', { state: 'failed', verdicts: [], grader_error: message('grader-error') }),
    submission('s1', { verdicts: [verdict('swap'), verdict('round')] })
  ]);
  expect(store.get('values', 'swap')?.verdict?.outcome).toBe('passed');
  expect(store.get('values', 'round')?.verdict?.outcome).toBe('failed');
  expect(store.pendingIds).toEqual(['s4']);
});

test('clearing forgets submissions and stops waiting for them', () => {
  const { store } = storeWithCheck();
  store.clear();
  expect(store.get('values', 'swap')).toBeNull();
  expect(store.pendingIds).toEqual([]);
});
