import { nullTranslator } from '@jupyterlab/translation';
import { act } from '@testing-library/react';
import { Widget } from '@lumino/widgets';

import { NotebookStrips } from '../src/strip/notebookStrips';
import { FakeCell, FakeModel, FakeNotebook } from './fakes';
import { exercise, lesson, outline, submission } from './samples';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

const path = { classroom: 'spring', lesson: 'values', file: 'lesson.ipynb' };
let model: FakeModel;
let strips: NotebookStrips | null = null;
const attached: FakeCell[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  model = new FakeModel();
});
afterEach(async () => {
  strips?.dispose();
  await act(async () => attached.splice(0).forEach(cell => cell.dispose()));
  jest.useRealTimers();
});

function attachCell(cell: FakeCell): void {
  Widget.attach(cell, document.body);
  attached.push(cell);
}

function attach(notebook: FakeNotebook): void {
  notebook.content.widgets.forEach(attachCell);
  strips = new NotebookStrips(notebook.panel, path, {
    model: model.classroomModel,
    onCheck: jest.fn(),
    onGoTo: jest.fn(),
    shortcut: '',
    trans: nullTranslator.load('pmh_jupyter')
  });
}

/** Waits until changes were collected and React has rendered. */
async function settle(): Promise<void> {
  await act(() => jest.advanceTimersByTimeAsync(150));
}

function partsOf(notebook: FakeNotebook): string[][] {
  return notebook.content.widgets.map(cell => cell.parts);
}

const PLAIN = ['header', 'input', 'footer'];

test('a solution cell gets its strip above the input and its result before the footer', async () => {
  const notebook = new FakeNotebook([null, 'swap', 'test-swap']);
  attach(notebook);
  await settle();
  expect(partsOf(notebook)).toEqual([PLAIN, ['header', 'pmh-Strip', 'input', 'empty', 'footer'], PLAIN]);
  act(() => model.submissions.load([submission('s1')]));
  await settle();
  expect(notebook.content.widgets[1]?.parts).toEqual(['header', 'pmh-Strip', 'input', 'pmh-Result', 'footer']);
});

test('strip and result are in the first and the last cell of an answer', async () => {
  model.outline = outline({
    units: [
      {
        title: 'Unit',
        solved_count: 0,
        exercise_count: 1,
        lessons: [lesson({ exercises: [exercise('swap', { solution_cells: ['a', 'b'] })] })]
      }
    ]
  });
  const notebook = new FakeNotebook(['a', 'b']);
  attach(notebook);
  await settle();
  expect(partsOf(notebook)).toEqual([
    ['header', 'pmh-Strip', 'input', 'footer'],
    ['header', 'input', 'empty', 'footer']
  ]);
});

test('a cell that replaces another gets a strip of its own, and each exercise has one', async () => {
  const notebook = new FakeNotebook(['swap', 'round']);
  attach(notebook);
  await settle();
  const [first, second] = notebook.content.widgets as [FakeCell, FakeCell];
  const restored = new FakeCell('swap');
  attachCell(restored);
  await act(async () => {
    notebook.setCells([second, restored]);
    first.dispose();
  });
  await settle();
  expect(partsOf(notebook)).toEqual([
    ['header', 'pmh-Strip', 'input', 'empty', 'footer'],
    ['header', 'pmh-Strip', 'input', 'empty', 'footer']
  ]);
  expect(document.querySelectorAll('[aria-label="Exercise 1: Exercise swap"]')).toHaveLength(1);
});

test('a copy of a cell has no strip', async () => {
  const notebook = new FakeNotebook(['swap', 'swap']);
  attach(notebook);
  await settle();
  expect(notebook.content.widgets[1]?.parts).toEqual(PLAIN);
});

test('a refresh keeps the elements of a strip, and with them the focus', async () => {
  const notebook = new FakeNotebook(['swap']);
  attach(notebook);
  await settle();
  const button = document.querySelector<HTMLElement>('[aria-label="Check exercise: Exercise swap"]');
  button?.focus();
  model.outline = outline({ points: 1 });
  act(() => model.changed.emit());
  notebook.content.modelContentChanged.emit();
  await settle();
  expect(document.activeElement).toBe(button);
  expect(button?.isConnected).toBe(true);
});

test('an exercise that leaves the lesson, or another classroom, leaves no strip', async () => {
  const notebook = new FakeNotebook(['swap']);
  attach(notebook);
  await settle();
  model.outline = outline({ classroom: { ...outline().classroom, slug: 'autumn' } });
  act(() => model.changed.emit());
  await settle();
  expect(partsOf(notebook)).toEqual([PLAIN]);
});

test('disposed strips no longer react', async () => {
  const notebook = new FakeNotebook([null]);
  attach(notebook);
  strips?.dispose();
  notebook.setCells([new FakeCell('swap')]);
  await settle();
  expect(partsOf(notebook)).toEqual([PLAIN]);
});
