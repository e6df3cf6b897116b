import { PmhError } from '../src/request';
import { isBusy, Works, type Finished } from '../src/works';
import { verdict, work } from './samples';

function begun(): { works: Works; finished: Finished[] } {
  const works = new Works();
  const finished: Finished[] = [];
  works.finished.connect((_, end) => finished.push(end));
  works.begin('w1', 'check', 'values', ['swap']);
  return { works, finished };
}

test('a check goes from sending to its verdict, and ends once', () => {
  const { works, finished } = begun();
  expect(works.get('values', 'swap')).toMatchObject({ state: 'sending', verdict: null });
  works.accept({ id: 'w1', kind: 'check', state: 'queued', receipt: null });
  works.apply(work('w1', { state: 'queued', position: 3, verdicts: [] }));
  expect(works.get('values', 'swap')).toMatchObject({ state: 'queued', position: 3 });
  expect(works.pending).toEqual(['w1']);
  works.apply(work('w1'));
  works.apply(work('w1'));
  expect(works.get('values', 'swap')).toMatchObject({ state: 'graded', verdict: { outcome: 'failed' } });
  expect(works.pending).toEqual([]);
  expect(finished.map(({ gradeId }) => gradeId)).toEqual(['swap']);
});

test('the last verdict stays while a newer check runs', () => {
  const { works } = begun();
  works.apply(work('w1'));
  works.begin('w2', 'check', 'values', ['swap']);
  expect(works.get('values', 'swap')).toMatchObject({ id: 'w2', state: 'sending', verdict: { outcome: 'failed' } });
});

test('the verdict of older work does not end newer work', () => {
  const { works } = begun();
  works.begin('w2', 'check', 'values', ['swap']);
  works.apply(work('w1', { verdicts: [verdict('swap', { outcome: 'passed' })] }));
  const now = works.get('values', 'swap');
  expect(now).toMatchObject({ id: 'w2', verdict: { outcome: 'passed' } });
  expect(isBusy(now)).toBe(true);
});

test('work that could not be sent, or failed at the hub, says so', () => {
  const { works, finished } = begun();
  works.fail('w1', new PmhError('conflict', 'No.', 'Reload.'));
  expect(works.get('values', 'swap')).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
  works.begin('w2', 'check', 'values', ['swap']);
  works.apply(work('w2', { state: 'failed', fault: 'The grader was restarted.', verdicts: [] }));
  expect(works.get('values', 'swap')).toMatchObject({ state: 'failed', fault: 'The grader was restarted.', error: null });
  expect(finished).toHaveLength(2);
});

test('after a reload the newest verdict of each exercise counts, and what runs is waited for', () => {
  const works = new Works();
  works.load([
    work('w4', { state: 'running', verdicts: [] }),
    work('w3', { verdicts: [verdict('swap', { outcome: 'passed' })] }),
    work('w2', { state: 'failed', verdicts: [], fault: 'x' }),
    work('w1', { verdicts: [verdict('swap'), verdict('round')] })
  ]);
  expect(works.get('values', 'swap')?.verdict?.outcome).toBe('passed');
  expect(works.get('values', 'round')?.verdict?.outcome).toBe('failed');
  expect(works.pending).toEqual(['w4']);
});
