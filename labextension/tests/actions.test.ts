import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { Actions } from '../src/actions';
import type { ClassroomModel } from '../src/model';
import { LessonNotebooks } from '../src/notebooks';
import { PmhError } from '../src/request';
import { SubmissionStore } from '../src/submissions';
import { confirmAndSubmit } from '../src/submit/submitDialog';
import type { OpenLessonReply } from '../src/wire';
import { fakeContents, FakeNotebook, fakeTracker } from './fakes';
import { exercise, lesson, outline } from './samples';

jest.mock('../src/submit/submitDialog', () => ({ confirmAndSubmit: jest.fn(async () => undefined) }));

const values = lesson();
const swap = exercise('swap');
const OPENED: OpenLessonReply = {
  folder: 'courses/spring/values',
  notebooks: ['courses/spring/values/lesson.ipynb'],
  release_id: 'a',
  merge: null,
  is_update_postponed: false
};

/** Actions on a model that records what it is asked for. */
function createActions(notebook = new FakeNotebook(['swap', 'test-swap', 'round'])) {
  const model = {
    classroom: outline().classroom,
    submissions: new SubmissionStore(),
    nextLesson: values,
    findLesson: (slug: string) => (slug === values.slug ? values : null),
    sendCheck: jest.fn(async () => undefined),
    openLesson: jest.fn(async () => OPENED),
    refresh: jest.fn(async () => undefined)
  };
  const commands = new CommandRegistry();
  const openedPaths: unknown[] = [];
  commands.addCommand('docmanager:open', { execute: args => void openedPaths.push(args.path) });
  const actions = new Actions({
    model: model as unknown as ClassroomModel,
    notebooks: new LessonNotebooks(fakeTracker(notebook), fakeContents),
    commands,
    trans: nullTranslator.load('pmh_jupyter')
  });
  return { actions, model, notebook, openedPaths };
}

let notifications: string[];
beforeEach(() => {
  notifications = [];
  const record = (text: string) => {
    notifications.push(text);
    return '';
  };
  jest.spyOn(Notification, 'info').mockImplementation(record);
  jest.spyOn(Notification, 'error').mockImplementation(record);
});
afterEach(() => jest.restoreAllMocks());

describe('the current lesson and exercise', () => {
  test('the current lesson and exercise are those of the current notebook and the cell at the cursor', () => {
    const { actions, notebook } = createActions();
    notebook.content.activeCellIndex = 1;
    expect(actions.findCurrentLesson()).toBe(values);
    expect(actions.findCurrentExercise()?.exercise.grade_id).toBe('swap');
  });

  test('a notebook of another classroom or of none has no current lesson and exercise', () => {
    const { actions, notebook } = createActions();
    for (const path of ['courses/autumn/values/lesson.ipynb', 'notes.ipynb']) {
      notebook.context.path = path;
      expect(actions.findCurrentLesson()).toBeNull();
      expect(actions.findCurrentExercise()).toBeNull();
    }
  });
});

describe('checking an exercise', () => {
  test('a check saves unsaved notebooks first', async () => {
    const { actions, model, notebook } = createActions();
    notebook.context.model.dirty = true;
    notebook.context.save.mockImplementation(async () => {
      expect(model.sendCheck).not.toHaveBeenCalled();
    });
    await actions.checkExercise(values, swap);
    expect(notebook.context.save).toHaveBeenCalledTimes(1);
    expect(model.sendCheck).toHaveBeenCalledWith('values', 'swap');
  });

  test('a check sends nothing when the notebook cannot be saved', async () => {
    const { actions, model, notebook } = createActions();
    notebook.context.model.dirty = true;
    notebook.context.save.mockRejectedValue(new Error('disk full'));
    await actions.checkExercise(values, swap);
    expect(model.sendCheck).not.toHaveBeenCalled();
    expect(notifications).toEqual(['Not checked: the notebook could not be saved. Save it, then check again.']);
  });

  test('a second check does nothing while the notebook is saved for the first', async () => {
    const { actions, model, notebook } = createActions();
    notebook.context.model.dirty = true;
    await Promise.all([actions.checkExercise(values, swap), actions.checkExercise(values, swap)]);
    expect(notebook.context.save).toHaveBeenCalledTimes(1);
    expect(model.sendCheck).toHaveBeenCalledTimes(1);
  });

  test('a check does not wait for another lesson with an exercise of the same grade_id', async () => {
    const { actions, model, notebook } = createActions();
    notebook.context.model.dirty = true;
    await Promise.all([actions.checkExercise(values, swap), actions.checkExercise(lesson({ slug: 'loops' }), swap)]);
    expect(model.sendCheck).toHaveBeenCalledWith('values', 'swap');
    expect(model.sendCheck).toHaveBeenCalledWith('loops', 'swap');
  });

  test('a check of another classroom is not sent when one is chosen while the notebook is saved', async () => {
    const { actions, model, notebook } = createActions();
    notebook.context.model.dirty = true;
    notebook.context.save.mockImplementation(async () => {
      model.classroom = { ...model.classroom, slug: 'autumn' };
    });
    await actions.checkExercise(values, swap);
    expect(model.sendCheck).not.toHaveBeenCalled();
  });

  test('a second check does nothing while a check of the exercise is running', async () => {
    const { actions, model } = createActions();
    model.submissions.begin('s1', 'check', 'values', ['swap']);
    await actions.checkExercise(values, swap);
    expect(model.sendCheck).not.toHaveBeenCalled();
  });
});

describe('opening a lesson', () => {
  test('opening a lesson opens its first notebook and refreshes the outline', async () => {
    const { actions, model, notebook, openedPaths } = createActions();
    notebook.context.model.dirty = true;
    await actions.openNextLesson();
    expect(model.openLesson).toHaveBeenCalledWith('values', ['courses/spring/values/lesson.ipynb']);
    expect(openedPaths).toEqual(['courses/spring/values/lesson.ipynb']);
    expect(model.refresh).toHaveBeenCalled();
    expect(notebook.context.revert).not.toHaveBeenCalled();
    expect(notifications).toEqual([]);
  });

  const merge = { updated: ['swap'], added: [], removed: [], kept: [], conflicts: [], backup_path: null };

  test('opening an updated lesson reloads merged notebooks and reports the update with the backup', async () => {
    const { actions, model, notebook } = createActions();
    model.openLesson.mockResolvedValue({ ...OPENED, merge: { ...merge, backup_path: 'lesson.before-update.ipynb' } });
    await actions.openLesson(values);
    expect(notebook.context.revert).toHaveBeenCalledTimes(1);
    expect(notifications).toEqual([
      '“Values and names” was updated. Your answers were kept; a backup of your version is in lesson.before-update.ipynb.'
    ]);
  });

  test('a merge that changed nothing is not reported', async () => {
    const { actions, model } = createActions();
    model.openLesson.mockResolvedValue({ ...OPENED, merge: { ...merge, updated: [] } });
    await actions.openLesson(values);
    expect(notifications).toEqual([]);
  });

  test('an update that waits for unsaved changes is reported', async () => {
    const { actions, model } = createActions();
    model.openLesson.mockResolvedValue({ ...OPENED, is_update_postponed: true });
    await actions.openLesson(values);
    expect(notifications).toEqual([
      'A new version of “Values and names” is available. Save the open notebook, then open the lesson again.'
    ]);
  });

  test('a lesson that cannot be opened shows the error with its advice', async () => {
    const { actions, model, openedPaths } = createActions();
    model.openLesson.mockRejectedValue(new PmhError('not-found', 'It is gone.', 'Refresh the list.'));
    await actions.openLesson(values);
    expect(notifications).toEqual(['It is gone. Refresh the list.']);
    expect(openedPaths).toEqual([]);
  });
});

test('an error while submitting is shown with its advice, a bug is not hidden', async () => {
  const { actions } = createActions();
  jest.mocked(confirmAndSubmit).mockRejectedValueOnce(new PmhError('closed', 'It is closed.', 'Ask your instructor.'));
  await actions.submitLesson(values);
  expect(notifications).toEqual(['It is closed. Ask your instructor.']);
  jest.mocked(confirmAndSubmit).mockRejectedValueOnce(new TypeError('a bug'));
  await expect(actions.submitLesson(values)).rejects.toThrow('a bug');
});
