import { nullTranslator } from '@jupyterlab/translation';
import type { SidePanel } from '@jupyterlab/ui-components';
import { act, fireEvent, screen, within } from '@testing-library/react';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import type { Actions } from '../src/actions';
import { createPanel } from '../src/panel';
import { focusPanel } from '../src/panel/focus';
import { PmhError } from '../src/request';
import { FakeModel } from './fakes';
import { exercise, lesson, outline } from './samples';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

let model: FakeModel;
let actions: { [name: string]: jest.Mock | Signal<object, null> };
let panel: SidePanel;

beforeEach(() => {
  model = new FakeModel();
  actions = {
    currentNotebookChanged: new Signal<object, null>({}),
    findCurrentLesson: jest.fn(() => null),
    openLesson: jest.fn(async () => undefined),
    openNextLesson: jest.fn(async () => undefined),
    submitLesson: jest.fn(async () => undefined)
  };
});
afterEach(() => act(async () => panel.dispose()));

async function show(change: Partial<FakeModel> = {}): Promise<void> {
  Object.assign(model, change);
  panel = createPanel({
    model: model.classroomModel,
    actions: actions as unknown as Actions,
    trans: nullTranslator.load('pmh_jupyter')
  });
  await act(async () => Widget.attach(panel, document.body));
}

/** Changes the model as a refresh does. */
async function update(change: Partial<FakeModel>): Promise<void> {
  await act(async () => {
    Object.assign(model, change);
    model.changed.emit();
  });
  // Mutation observers run after the rendering.
  await act(async () => undefined);
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });

describe('the outline', () => {
  test('the outline opens and submits lessons', async () => {
    const started = lesson({ state: 'in-progress', solved_count: 1 });
    await show({
      outline: outline({ units: [{ title: 'First steps', lessons: [started], solved_count: 1, exercise_count: 2 }] })
    });
    fireEvent.click(button('Open lesson Values and names'));
    expect(actions.openLesson).toHaveBeenCalledWith(started);
    fireEvent.click(button('Submit lesson Values and names'));
    expect(actions.submitLesson).toHaveBeenCalledWith(started);
    expect(within(screen.getByRole('navigation', { name: 'Lessons' })).getByText('In progress')).not.toBeNull();
  });

  test('a lesson is not opened before its time', async () => {
    const later = lesson({ opens_at: '2999-01-01T10:00:00Z' });
    await show({ outline: outline({ units: [{ title: 'U', lessons: [later], solved_count: 0, exercise_count: 2 }] }) });
    fireEvent.click(button('Open lesson Values and names'));
    expect(actions.openLesson).not.toHaveBeenCalled();
    expect(screen.getByText(/^Opens /)).not.toBeNull();
  });

  test('a unit can be folded', async () => {
    await show();
    const unit = button(/First steps/);
    expect(unit.getAttribute('aria-expanded')).toBe('true');
    fireEvent.click(unit);
    expect(screen.queryByRole('button', { name: 'Open lesson Values and names' })).toBeNull();
  });

  test('an outline without lessons says that they appear automatically', async () => {
    await show({ outline: outline({ units: [], exercise_count: 0 }) });
    expect(screen.getByRole('status').textContent).toContain('will appear here automatically');
  });
});

describe('the head', () => {
  test('the head shows the progress and continues with the next lesson', async () => {
    const lessons = [lesson({ state: 'in-progress', solved_count: 1 })];
    const units = [{ title: 'First steps', lessons, solved_count: 1, exercise_count: 2 }];
    await show({ outline: outline({ units, solved_count: 1, points: 2 }) });
    fireEvent.click(button('Continue: Values and names'));
    expect(actions.openNextLesson).toHaveBeenCalled();
    expect(screen.getByRole('progressbar').getAttribute('aria-valuetext')).toBe('1 of 2 solved');
  });

  test('the head continues after a first attempt, before anything is solved', async () => {
    const lessons = [lesson({ state: 'in-progress', exercises: [exercise('swap', { state: 'in-progress', attempts: 1 })] })];
    await show({ outline: outline({ units: [{ title: 'U', lessons, solved_count: 0, exercise_count: 1 }] }) });
    expect(button('Continue: Values and names')).not.toBeNull();
  });

  test('the head switches between classrooms', async () => {
    await show({ classrooms: [outline().classroom, { ...outline().classroom, slug: 'autumn', title: 'Autumn' }] });
    fireEvent.change(screen.getByRole('combobox', { name: 'Classroom' }), { target: { value: 'autumn' } });
    expect(model.selectClassroom).toHaveBeenCalledWith('autumn');
  });
});

describe('notices', () => {
  test('an error shows its message, its advice and a way to try again', async () => {
    await show({ outline: null, phase: 'failed', error: new PmhError('internal', 'It broke.', 'Try later.', 'r-1') });
    expect(screen.getByRole('alert').textContent).toContain('Try later. (Request r-1)');
    fireEvent.click(button('Try again'));
    expect(model.refresh).toHaveBeenCalled();
  });

  test('an unavailable hub is not an error while an outline is shown', async () => {
    const entry = { id: 'e', kind: 'check', classroom: 'spring', lesson: 'values' } as const;
    const waiting = [{ ...entry, created_at: '', send_count: 1, last_error: '' }];
    await show({
      isOnline: false,
      error: new PmhError('unavailable', 'Away.', 'Wait.'),
      outbox: { waiting, rejected: [] }
    });
    expect(screen.queryByRole('alert')).toBeNull();
    expect(screen.getByRole('status').textContent).toContain('1 submission is waiting on your server.');
    fireEvent.click(button('Try now'));
    expect(model.sendOutbox).toHaveBeenCalled();
  });

  test('a join code that is rejected keeps the form with the reason', async () => {
    model.join.mockRejectedValue(new PmhError('not-found', 'There is no such join code.', 'Check it.'));
    await show({ outline: null, phase: 'no-classroom', classrooms: [], selectedSlug: null });
    fireEvent.change(screen.getByLabelText('Join code'), { target: { value: ' GOOD-CODE ' } });
    await act(async () => void fireEvent.submit(screen.getByRole('form', { name: 'Join your classroom' })));
    expect(model.join).toHaveBeenCalledWith('GOOD-CODE');
    expect(screen.getByRole('alert').textContent).toContain('There is no such join code.');
  });
});

describe('achievements', () => {
  const award = { slug: 'a', title: 'First light', description: 'Solve one.', icon: 'spark', earned_at: null };

  test('achievements show how many are earned and in progress, and how far each is', async () => {
    const achievements = [
      { ...award, current: 3, target: 5 },
      { ...award, slug: 'b', title: 'Earned one', earned_at: '2026-03-02T10:00:00Z', current: 1, target: 1 }
    ];
    await show({ outline: outline({ achievements }) });
    const heading = button(/1 achievement/);
    expect(heading.textContent).toContain('1 in progress');
    fireEvent.click(heading);
    expect(screen.getAllByRole('listitem').map(item => item.textContent)).toEqual(
      expect.arrayContaining([expect.stringContaining('3 of 5'), expect.stringContaining('Earned')])
    );
  });
});

describe('the keyboard focus', () => {
  const names = ['Refresh lessons', 'Start: Values and names', /First steps/, 'Open lesson Values and names'];

  test.each(names)('the focus stays on “%s” through a refresh that changes everything shown', async name => {
    await show();
    const focused = button(name);
    focused.focus();
    const changed = lesson({ title: 'Values and names', state: 'grading', points: 2, due_at: '2026-03-04T17:00:00Z' });
    await update({
      error: new PmhError('internal', 'It broke.', 'Try later.'),
      isOnline: false,
      outline: outline({
        points: 2,
        units: [{ title: 'First steps', lessons: [lesson({ slug: 'new' }), changed], solved_count: 1, exercise_count: 4 }]
      })
    });
    expect(focused.isConnected).toBe(true);
    expect(document.activeElement).toBe(focused);
  });

  test('the focus stays on the switcher while another classroom loads', async () => {
    await show({ classrooms: [outline().classroom, { ...outline().classroom, slug: 'autumn' }] });
    const switcher = screen.getByRole('combobox', { name: 'Classroom' });
    switcher.focus();
    await update({ outline: null, phase: 'loading', selectedSlug: 'autumn' });
    expect(document.activeElement).toBe(switcher);
  });

  describe('when JupyterLab activates its Launcher', () => {
    let launcher: HTMLElement;
    beforeEach(async () => {
      await show({ phase: 'no-classroom', outline: null, classrooms: [] });
      launcher = document.body.appendChild(document.createElement('div'));
      launcher.className = 'jp-Launcher';
      launcher.tabIndex = -1;
    });
    afterEach(() => {
      launcher.focus(); // no listener of this panel stays on the document
      launcher.remove();
    });

    test('the focus stays in the join form', () => {
      const field = screen.getByLabelText('Join code');
      field.focus();
      launcher.focus();
      expect(document.activeElement).toBe(field);
    });

    test('the focus stays in the panel when the join form disappears later', async () => {
      screen.getByLabelText('Join code').focus();
      launcher.focus();
      await update({ outline: outline(), phase: 'ready', selectedSlug: 'spring' });
      expect(document.activeElement).toBe(button('Start: Values and names'));
    });

    test('the focus follows a second activation', () => {
      screen.getByLabelText('Join code').focus();
      launcher.focus();
      launcher.focus();
      expect(document.activeElement).toBe(launcher);
    });

    test.each([
      ['click', 'pointerdown'],
      ['key', 'keydown']
    ])('follows a %s of the user', (_, press) => {
      screen.getByLabelText('Join code').focus();
      document.dispatchEvent(new Event(press));
      launcher.focus();
      expect(document.activeElement).toBe(launcher);
    });

    test('the focus is not taken from other parts of JupyterLab', () => {
      screen.getByLabelText('Join code').focus();
      screen.getByLabelText('Join code').blur();
      launcher.focus();
      expect(document.activeElement).toBe(launcher);
    });
  });

  test('the focus moves to the lesson to continue with when the join form disappears', async () => {
    await show({ outline: null, phase: 'no-classroom', classrooms: [], selectedSlug: null });
    screen.getByLabelText('Join code').focus();
    await update({ outline: outline(), phase: 'ready', selectedSlug: 'spring' });
    expect(document.activeElement).toBe(button('Start: Values and names'));
  });

  test('the focus moves to the main control when a notice with the focus disappears', async () => {
    await show({ error: new PmhError('internal', 'It broke.', 'Try later.') });
    button('Try again').focus();
    await update({ error: null });
    expect(document.activeElement).toBe(button('Start: Values and names'));
  });

  test('the focus is not taken back from another part of the page', async () => {
    await show({ error: new PmhError('internal', 'It broke.', 'Try later.') });
    button('Try again').focus();
    button('Try again').blur();
    await update({ error: null });
    expect(document.activeElement).toBe(document.body);
  });

  test('the focus goes to the join code, to the next lesson, or else to the panel itself', async () => {
    const empty = document.createElement('div');
    empty.tabIndex = -1;
    document.body.append(empty);
    focusPanel(empty);
    expect(document.activeElement).toBe(empty);
    await show();
    focusPanel(panel.node);
    expect(document.activeElement).toBe(button('Start: Values and names'));
    await update({ outline: null, phase: 'no-classroom', classrooms: [], selectedSlug: null });
    focusPanel(panel.node);
    expect(document.activeElement).toBe(screen.getByLabelText('Join code'));
  });
});
