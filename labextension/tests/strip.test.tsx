import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { Signal } from '@lumino/signaling';

import type { ClassroomModel } from '../src/model';
import { PmhError } from '../src/request';
import { Result } from '../src/strip/result';
import { Strip, type ExerciseProps } from '../src/strip/strip';
import { SubmissionStore } from '../src/submissions';
import type { SubmissionReply, VerdictReply } from '../src/wire';
import { exercise, lesson, message, submission, testReply, verdict } from './samples';

const trans = nullTranslator.load('pmh_jupyter');

/** Props with what strip and result read of a model: a lesson that does not change, and a real store of submissions. */
function createProps(): ExerciseProps & { submissions: SubmissionStore } {
  const submissions = new SubmissionStore();
  const exercises = [exercise('swap', { hints: ['Try `a, b`.', 'Then swap.'] }), exercise('round')];
  const model = {
    submissions,
    changed: new Signal({}),
    findLesson: () => lesson({ exercises })
  } as unknown as ClassroomModel;
  return {
    submissions,
    model,
    lesson: 'values',
    gradeId: 'swap',
    onCheck: jest.fn(),
    onGoTo: jest.fn(),
    shortcut: 'Ctrl+Shift+Enter',
    trans
  };
}

/** Renders the result of a graded check. */
function renderResult(
  change: Partial<VerdictReply>,
  submissionChange: Partial<SubmissionReply> = {}
): { props: ReturnType<typeof createProps>; region: HTMLElement } {
  const props = createProps();
  render(<Result {...props} />);
  const graded = submission('s1', { verdicts: [verdict('swap', change)], ...submissionChange });
  act(() => props.submissions.load([graded]));
  return { props, region: screen.getByRole('region', { name: 'Result of exercise Exercise swap' }) };
}

/** How often a text occurs in an element. */
function countOf(text: string, element: HTMLElement): number {
  return (element.textContent ?? '').split(text).length - 1;
}

describe('the strip', () => {
  test('the check button sends a check, and no second one while the first is running', () => {
    const props = createProps();
    render(<Strip {...props} />);
    const button = screen.getByRole('button', { name: 'Check exercise: Exercise swap' });
    fireEvent.click(button);
    expect(props.onCheck).toHaveBeenCalledTimes(1);
    act(() => props.submissions.begin('s1', 'check', 'values', ['swap']));
    expect(button.textContent).toBe('Checking…');
    fireEvent.click(button);
    expect(props.onCheck).toHaveBeenCalledTimes(1);
    expect(screen.getByRole('group', { name: 'Exercise 1: Exercise swap' }).textContent).toContain('Being graded');
  });

  test('the check button shows the position in the queue', () => {
    const props = createProps();
    render(<Strip {...props} />);
    act(() => {
      props.submissions.begin('s1', 'check', 'values', ['swap']);
      props.submissions.apply(submission('s1', { state: 'queued', queue_position: 3, verdicts: [] }));
    });
    expect(screen.getByRole('button', { name: /^Check exercise/ }).textContent).toBe('Queued, position 3');
  });

  test('the hint button shows one hint after another', () => {
    render(<Strip {...createProps()} />);
    expect(screen.queryByText('Then swap.')).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Hint' }));
    expect(screen.getByText('a, b').tagName).toBe('CODE');
    fireEvent.click(screen.getByRole('button', { name: 'Next hint (2 of 2)' }));
    expect(screen.getByText('Then swap.')).not.toBeNull();
  });
});

describe('the result', () => {
  test('an exercise has no result before its first check', () => {
    render(<Result {...createProps()} />);
    expect(screen.queryByRole('region')).toBeNull();
  });

  test('a visible test shows its values and leads to its line', () => {
    const { props, region } = renderResult({
      tests: [testReply({ outcome: 'failed', expected: '(2, 1)', got: '(1, 2)', cell: 'swap', line: 3 })]
    });
    expect(within(region).getByText('Not yet — 0 of 1 test passed')).not.toBeNull();
    expect(region.querySelector('dl')?.textContent).toBe('Expected(2, 1)Got(1, 2)');
    fireEvent.click(within(region).getByRole('button', { name: 'Go to line 3' }));
    expect(props.onGoTo).toHaveBeenCalledWith('swap', 3);
  });

  test('a hidden test shows its name and nothing else', () => {
    const { region } = renderResult({
      reason: message('hidden-test-failed'),
      is_reason_in_tests: true,
      tests: [
        testReply({
          name: 'a hidden test',
          is_hidden: true,
          outcome: 'failed',
          message: message('hidden-test-failed')
        })
      ]
    });
    expect(region.querySelector('.pmh-Test')?.textContent).toBe('a hidden testNot passed yet');
    expect(countOf('hidden', region)).toBe(1);
  });

  test.each([
    ['passed', 'Solved'],
    ['crashed', 'Not yet — Python crashed'],
    ['timed-out', 'Not yet — your code took too long'],
    ['not-checked', 'Not checked'],
    ['needs-grading', 'Submitted — awaiting manual grading'],
    ['grader-error', 'Grader failed — this attempt does not count']
  ] as const)('the outcome %s has its icon and its headline', (outcome, text) => {
    const { region } = renderResult({ outcome });
    expect(within(region).getByText(text).querySelector(`[data-icon="${outcome}"]`)).not.toBeNull();
  });

  test('a solved exercise leads to the next one', () => {
    const { props, region } = renderResult({ outcome: 'passed', points: 2 });
    fireEvent.click(within(region).getByRole('button', { name: 'Next: Exercise round' }));
    expect(props.onGoTo).toHaveBeenCalledWith('round', null);
  });

  test('a check that could not be sent shows the reason and the advice', () => {
    const props = createProps();
    render(<Result {...props} />);
    act(() => {
      props.submissions.begin('s1', 'check', 'values', ['swap']);
      props.submissions.fail('s1', new PmhError('too-many-requests', 'Too fast.', 'Wait a moment.'));
    });
    expect(screen.getByRole('status').textContent).toBe('Too fast.Wait a moment.');
  });

  test('an earlier verdict is marked as such while the newest check has none', () => {
    const { props, region } = renderResult({});
    expect(region.textContent).not.toContain('Previous result');
    act(() => {
      props.submissions.begin('s2', 'check', 'values', ['swap']);
      props.submissions.accept({ id: 's2', kind: 'check', state: 'waiting', receipt: null, left_out: [] });
    });
    expect(region.textContent).toContain('Waiting for the hub');
    expect(region.textContent).toContain('Previous result: ');
  });

  test('a check that the grader could not run does not blame the student', () => {
    const props = createProps();
    render(<Result {...props} />);
    act(() => {
      props.submissions.begin('s1', 'check', 'values', ['swap']);
      props.submissions.apply(
        submission('s1', { state: 'failed', verdicts: [], grader_error: message('grader-error') })
      );
    });
    expect(screen.getByRole('status').textContent).toBe(
      'The grader failed. This attempt does not count.Check again in a moment.'
    );
  });

  test('what was left out stays when the verdict arrives', () => {
    const props = createProps();
    render(<Result {...props} />);
    const left_out = [message('left-out-link', { path: 'data.csv' })];
    act(() => {
      props.submissions.begin('s1', 'check', 'values', ['swap']);
      props.submissions.accept({ id: 's1', kind: 'check', state: 'queued', receipt: null, left_out });
      props.submissions.apply(submission('s1'));
    });
    expect(screen.getByRole('region').textContent).toContain('data.csv: left out, because links are not followed.');
  });

  test('a long value is shortened until the student expands it', () => {
    const long = `'${'x'.repeat(300)}'`;
    const { region } = renderResult({ tests: [testReply({ outcome: 'failed', expected: '1', got: long })] });
    const shownValue = () => region.querySelectorAll('dd')[1]?.querySelector('code')?.textContent;
    expect(shownValue()?.length).toBeLessThan(130);
    fireEvent.click(within(region).getByRole('button', { name: 'Show all' }));
    expect(shownValue()).toBe(long);
  });

  test('the likely cause stands in for a missing reason', () => {
    const { region } = renderResult({ outcome: 'timed-out' });
    expect(region.textContent).toContain('a loop whose condition never becomes false');
  });
});

const SENTENCE = 'It should be more than the minutes of a week.';
const OTHER_SENTENCE = 'A week has 604800 seconds.';
const NAME_ERROR = { error: 'NameError', detail: "name 'week' is not defined" };

describe('the text of a result', () => {
  test.each([
    [
      'the author’s sentence',
      { name: SENTENCE, message: message('test-message', { text: SENTENCE }) },
      SENTENCE
    ],
    [
      'a comparison whose values are shown',
      {
        name: 'swap(1, 2)',
        got: '1',
        message: message('test-differs', { expression: 'swap(1, 2)', got: '1', expected: '2' })
      },
      'swap(1, 2)'
    ],
    [
      'a condition that is not true',
      { name: 'x in y', message: message('test-not-met', { expression: 'x in y' }) },
      'x in y'
    ],
    [
      'an error that one test raised',
      { name: 'mean([])', message: message('test-raised', { expression: 'mean([])', error: 'ZeroDivisionError', line: '2' }) },
      'ZeroDivisionError'
    ]
  ])('%s', (_, change, text) => {
    const failed = testReply({ outcome: 'failed', ...change });
    const tests = [failed, testReply({ name: 'a' })];
    const { region } = renderResult({ reason: failed.message, is_reason_in_tests: true, tests });
    expect(countOf(text, region)).toBe(1);
    expect(countOf('Not yet — 1 of 2 tests passed', region)).toBe(1);
  });

  test('a wrong name has one headline, one reason, and no sentence about values that were never compared', () => {
    const raised = message('test-raised', { expression: 'week', ...NAME_ERROR });
    const tests = [SENTENCE, OTHER_SENTENCE].map(name =>
      testReply({ name, outcome: 'failed', message: raised, is_listed: false })
    );
    const { region } = renderResult({ reason: raised, tests, unevaluated_count: 2 });
    expect(region.querySelector('.pmh-Result-head strong')?.textContent).toBe('Not yet');
    expect(countOf("week raised NameError: name 'week' is not defined.", region)).toBe(1);
    expect(countOf('Not yet', region)).toBe(1);
    expect(region.textContent).toContain('2 tests could not be evaluated.');
    expect(region.textContent).not.toContain(SENTENCE);
    expect(region.textContent).not.toContain(OTHER_SENTENCE);
  });

  test('a test that raised an error is titled by its expression, not by the sentence about values', () => {
    const raised = message('test-raised', { expression: 'f()', ...NAME_ERROR });
    const { region } = renderResult({
      reason: raised,
      is_reason_in_tests: true,
      tests: [testReply({ name: 'g()' }), testReply({ name: SENTENCE, outcome: 'failed', message: raised })],
      unevaluated_count: 1
    });
    expect([...region.querySelectorAll('.pmh-Test-name')].map(name => name.textContent)).toEqual([
      'g()',
      'f()',
      '1 test could not be evaluated.'
    ]);
    expect(countOf('NameError', region)).toBe(1);
  });

  test('an error in the answer leads to its line', () => {
    const { props, region } = renderResult({
      reason: message('cell-raised', { ...NAME_ERROR, line: '2' }),
      reason_cell: 'swap',
      reason_line: 2
    });
    expect(countOf('Your cell raised NameError in line 2', region)).toBe(1);
    fireEvent.click(within(region).getByRole('button', { name: 'Go to line 2' }));
    expect(props.onGoTo).toHaveBeenCalledWith('swap', 2);
  });

  test('a solved exercise says once that it is solved', () => {
    const { region } = renderResult({ outcome: 'passed', tests: [testReply()] });
    expect(countOf('Solved', region)).toBe(1);
  });

  test('a grader error says once that the grader failed', () => {
    const { region } = renderResult({ outcome: 'grader-error' });
    expect(countOf('Grader failed', region)).toBe(1);
  });
});

test('a sentence is shown as text, an expression as code', () => {
  const { region } = renderResult({ tests: [testReply({ name: SENTENCE, outcome: 'failed' }), testReply({ name: 'a' })] });
  const names = [...region.querySelectorAll('.pmh-Test-name')];
  expect(names.map(name => name.querySelector('code')?.textContent ?? null)).toEqual([null, 'a']);
});
