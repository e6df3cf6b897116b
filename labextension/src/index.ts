/**
 * The plugin: builds the model and joins panel, strips and commands to it.
 */
import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { Actions } from './actions';
import { Announcer } from './announce';
import { Api } from './api';
import { addCommands } from './commands';
import { Memory } from './memory';
import { ClassroomModel } from './model';
import { Notebooks } from './notebooks';
import { createPanel } from './panel';
import { watchNotebooks } from './strip/watch';
import { CommandIDs, IClassroomModel, PANEL_ID, PLUGIN_ID } from './tokens';
import { spoken } from './words';

const plugin: JupyterFrontEndPlugin<ClassroomModel> = {
  id: PLUGIN_ID,
  description: 'Lessons, checks and progress of a classroom.',
  autoStart: true,
  provides: IClassroomModel,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ILabShell, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    shell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): ClassroomModel => {
    const trans = (translator ?? nullTranslator).load('pmh_jupyter');
    const settings = app.serviceManager.serverSettings;
    const model = new ClassroomModel(new Api({ settings, trans }), new Memory(settings.baseUrl));
    const notebooks = new Notebooks(tracker, app.serviceManager.contents);
    const actions = new Actions({ model, notebooks, commands: app.commands, trans });

    const panel = createPanel({ model, actions, trans });
    addCommands({ app, panel, palette, model, actions, trans });
    app.shell.add(panel, 'left', { rank: 150, type: 'Lessons' });
    restorer?.add(panel, PANEL_ID);
    watchNotebooks(notebooks, {
      model,
      trans,
      keys: checkKeys(app.commands),
      onCheck: (lesson, exercise) => void actions.check(lesson, exercise),
      onGoTo: (notebook, gradeId, line) => actions.goTo(notebook, gradeId, line)
    });
    speak(model, trans);
    // What a command may do depends on the notebook in front and on what is known of the classroom.
    const look = () => Object.values(CommandIDs).forEach(id => app.commands.notifyCommandChanged(id));
    tracker.currentChanged.connect(look);
    model.changed.connect(look);
    void app.restored.then(() => model.refresh());
    void welcome(app, shell);
    return model;
  }
};

/** Somebody who has never been here begins with the lessons instead of the files; later they find open what they left open. */
async function welcome(app: JupyterFrontEnd, shell: ILabShell | null): Promise<void> {
  const layout = await shell?.restored;
  // The file browser shows itself at the same moment; this comes after it.
  await app.restored;
  if (layout?.fresh) {
    shell?.activateById(PANEL_ID);
  }
}

/** Verdicts are read out, achievements are shown where Lab shows what happened. */
function speak(model: ClassroomModel, trans: TranslationBundle): void {
  const announcer = new Announcer();
  model.works.finished.connect((_, { lesson, gradeId, work }) => {
    const exercise = model.lesson(lesson)?.exercises.find(one => one.grade_id === gradeId);
    if (exercise && work.kind === 'check') {
      announcer.say(spoken(exercise.title, work, trans));
    }
  });
  model.awarded.connect((_, { title, description }) => {
    // Of several tabs only the one that is looked at tells it.
    if (document.visibilityState === 'visible') {
      Notification.success(trans.__('Achievement: %1. %2', title, description), { autoClose: 8_000 });
    }
  });
}

function checkKeys(commands: CommandRegistry): string {
  const binding = commands.keyBindings.find(({ command }) => command === CommandIDs.checkExercise);
  return CommandRegistry.formatKeystroke(binding?.keys ?? ['Accel Shift Enter']);
}

export default plugin;
