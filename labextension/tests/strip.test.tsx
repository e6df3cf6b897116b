import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { Signal } from '@lumino/signaling';

import type { ClassroomModel } from '../src/model';
import { PmhError } from '../src/request';
import { Result } from '../src/strip/result';
import { Strip, type ExerciseProps } from '../src/strip/strip';
import type { VerdictReply } from '../src/wire';
import { Works } from '../src/works';
import { exercise, lesson, verdict, work } from './samples';

const trans = nullTranslator.load('pmh_jupyter');

/** What strip and result read of a model: a lesson that does not change, and real works. */
function props(change: Partial<ExerciseProps> = {}): ExerciseProps & { works: Works } {
  const works = new Works();
  const here = lesson({ exercises: [exercise('swap', { hints: ['Try `a, b`.', 'Then swap.'] }), exercise('round')] });
  const model = { works, changed: new Signal({}), lesson: () => here } as unknown as ClassroomModel;
  return {
    works,
    model,
    lesson: 'values',
    gradeId: 'swap',
    onCheck: jest.fn(),
    onGoTo: jest.fn(),
    keys: 'Ctrl+Shift+Enter',
    trans,
    ...change
  };
}

function judged(change: Partial<VerdictReply>): { given: ReturnType<typeof props>; region: HTMLElement } {
  const given = props();
  render(<Result {...given} />);
  act(() => given.works.load([work('w1', { verdicts: [verdict('swap', change)] })]));
  return { given, region: screen.getByRole('region', { name: 'Result of exercise Exercise swap' }) };
}

test('the button asks for a check, and not again while one runs', () => {
  const given = props();
  render(<Strip {...given} />);
  const button = screen.getByRole('button', { name: 'Check exercise: Exercise swap' });
  fireEvent.click(button);
  expect(given.onCheck).toHaveBeenCalledTimes(1);
  act(() => given.works.begin('w1', 'check', 'values', ['swap']));
  expect(button.textContent).toBe('Checking…');
  fireEvent.click(button);
  expect(given.onCheck).toHaveBeenCalledTimes(1);
  expect(screen.getByRole('group', { name: 'Exercise 1: Exercise swap' }).textContent).toContain('being graded');
});

test('hints come one after another', () => {
  render(<Strip {...props()} />);
  expect(screen.queryByText('Then swap.')).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Hint' }));
  expect(screen.getByText('a, b').tagName).toBe('CODE');
  fireEvent.click(screen.getByRole('button', { name: 'One more hint (2 of 2)' }));
  expect(screen.getByText('Then swap.')).not.toBeNull();
});

test('there is no result before there is something to say', () => {
  render(<Result {...props()} />);
  expect(screen.queryByRole('region')).toBeNull();
});

test('a visible test says what it expected and got, and leads to its line', () => {
  const test = { grade_id: 't', name: 'swap(1, 2)', hidden: false, outcome: 'failed', message: 'Look.' } as const;
  const { given, region } = judged({
    tests: [{ ...test, expected: '(2, 1)', got: '(1, 2)', cell: 'swap', line: 3 }]
  });
  expect(within(region).getByText('Not yet — 0 of 1 test passed')).not.toBeNull();
  expect(region.querySelector('dl')?.textContent).toBe('expected(2, 1)got(1, 2)');
  fireEvent.click(within(region).getByRole('button', { name: 'Go to line 3' }));
  expect(given.onGoTo).toHaveBeenCalledWith('swap', 3);
});

test('a hidden test says its name and no more', () => {
  const { region } = judged({
    tests: [
      { grade_id: 't', name: 'a hidden test', hidden: true, outcome: 'failed', message: '', expected: null, got: null, cell: null, line: null }
    ]
  });
  expect(within(region).getByText('not passed yet')).not.toBeNull();
  expect(region.querySelector('dl')).toBeNull();
});

test.each([
  ['passed', 'Solved'],
  ['crashed', 'Not yet — Python stopped'],
  ['timed-out', 'Not yet — it took too long'],
  ['not-checked', 'Not checked'],
  ['needs-grading', 'Handed in — a person will read this'],
  ['grader-error', 'Our fault, not yours: this try does not count']
] as const)('the outcome %s has its icon and its words', (outcome, words) => {
  const { region } = judged({ outcome });
  expect(within(region).getByText(words).querySelector(`[data-glyph="${outcome}"]`)).not.toBeNull();
});

test('a solved exercise leads to the next one', () => {
  const { given, region } = judged({ outcome: 'passed', points: 2 });
  fireEvent.click(within(region).getByRole('button', { name: 'Next: Exercise round' }));
  expect(given.onGoTo).toHaveBeenCalledWith('round', null);
});

test('a check that could not be sent says why and what to do', () => {
  const given = props();
  render(<Result {...given} />);
  act(() => {
    given.works.begin('w1', 'check', 'values', ['swap']);
    given.works.fail('w1', new PmhError('too-many-requests', 'Too fast.', 'Wait a moment.'));
  });
  expect(screen.getByRole('status').textContent).toBe('Too fast.Wait a moment.');
});

test('long values are cut until all is asked for', () => {
  const long = `'${'x'.repeat(300)}'`;
  const { region } = judged({
    tests: [
      { grade_id: 't', name: 'f()', hidden: false, outcome: 'failed', message: '', expected: '1', got: long, cell: null, line: null }
    ]
  });
  const shown = () => region.querySelectorAll('dd')[1]?.querySelector('code')?.textContent;
  expect(shown()?.length).toBeLessThan(130);
  fireEvent.click(within(region).getByRole('button', { name: 'Show all' }));
  expect(shown()).toBe(long);
});

const SENTENCE = 'It should be more than the minutes of a week.';
const FAILED = { grade_id: 't', hidden: false, outcome: 'failed', expected: null, got: null, cell: null, line: null } as const;
const PASSED = { ...FAILED, name: 'a', outcome: 'passed', message: '' } as const;

test.each([
  ['the author’s own sentence', SENTENCE, `Not yet: ${SENTENCE}`, null, SENTENCE],
  ['a comparison whose values are shown', 'swap(1, 2)', 'Not yet: `swap(1, 2)` gave 1, expected 2.', '1', 'swap(1, 2)'],
  ['an error that a test raised', 'mean([])', 'Not yet: `mean([])` raised ZeroDivisionError in line 2.', null, 'ZeroDivisionError'],
  ['a cause that every test shares', 'swap(1, 2)', 'Not yet: your cell raised NameError.', null, 'Not yet: your cell raised NameError.']
])('%s is said once', (_, name, message, got, once) => {
  const { region } = judged({ message, tests: [{ ...FAILED, name, message, got }, PASSED] });
  expect(region.textContent?.split(once)).toHaveLength(2);
});

test('a sentence is set as prose, an expression as code', () => {
  const { region } = judged({ tests: [{ ...FAILED, name: SENTENCE, message: '' }, PASSED] });
  const names = [...region.querySelectorAll('.pmh-Test-name')];
  expect(names.map(name => name.querySelector('code')?.textContent ?? null)).toEqual([null, 'a']);
});

test('“Solved” is said once', () => {
  const { region } = judged({ outcome: 'passed', message: 'Solved.', tests: [PASSED] });
  expect(region.textContent?.split('Solved')).toHaveLength(2);
});

test('where the hub has nothing more to say, the usual cause is told', () => {
  const { region } = judged({ outcome: 'timed-out', message: '' });
  expect(region.textContent).toContain('a loop whose condition never becomes false');
});
