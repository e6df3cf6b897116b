/**
 * The plugin: creates the model and connects the panel, the strips and the commands to it.
 */
import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { Actions } from './actions';
import { Announcer } from './announcer';
import { Api } from './api';
import { addCommands } from './commands';
import { LocalCache } from './localCache';
import { ClassroomModel } from './model';
import { goToCell, LessonNotebooks } from './notebooks';
import { createPanel } from './panel';
import { attachStrips } from './strip/attachStrips';
import { announcement } from './texts';
import { CommandIDs, IClassroomModel, PANEL_ID, PLUGIN_ID } from './tokens';

const AWARD_NOTIFICATION_MS = 8_000;

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
    const model = new ClassroomModel(new Api({ settings, trans }), new LocalCache(settings.baseUrl));
    const notebooks = new LessonNotebooks(tracker, app.serviceManager.contents);
    const actions = new Actions({ model, notebooks, commands: app.commands, trans });

    const panel = createPanel({ model, actions, trans });
    addCommands({ app, panel, palette, model, actions, trans });
    app.shell.add(panel, 'left', { rank: 150, type: 'Lessons' });
    restorer?.add(panel, PANEL_ID);
    attachStrips(notebooks, {
      model,
      trans,
      shortcut: formatCheckShortcut(app.commands),
      onCheck: (lesson, exercise) => void actions.checkExercise(lesson, exercise),
      onGoTo: (notebook, gradeId, line) => void goToCell(notebook, gradeId, line)
    });
    reportResults(model, trans);
    // Which commands are enabled depends on the current notebook and on the classroom.
    const updateCommands = () => Object.values(CommandIDs).forEach(id => app.commands.notifyCommandChanged(id));
    tracker.currentChanged.connect(updateCommands);
    model.changed.connect(updateCommands);
    void app.restored.then(() => model.refresh());
    void showPanelOnFirstVisit(app, shell);
    return model;
  }
};

/** A new user sees the lessons instead of the file browser. Later visits restore the user's layout. */
async function showPanelOnFirstVisit(app: JupyterFrontEnd, shell: ILabShell | null): Promise<void> {
  const layout = await shell?.restored;
  // The file browser activates itself when the application is restored; this must come after it.
  await app.restored;
  if (layout?.fresh) {
    shell?.activateById(PANEL_ID);
  }
}

/** Announces results of checks to screen readers, and shows achievements as notifications. */
function reportResults(model: ClassroomModel, trans: TranslationBundle): void {
  const announcer = new Announcer();
  model.submissions.finished.connect((_, { lesson, gradeId, submission }) => {
    const exercise = model.findLesson(lesson)?.exercises.find(({ grade_id }) => grade_id === gradeId);
    if (exercise && submission.kind === 'check') {
      announcer.announce(announcement(exercise.title, submission, trans));
    }
  });
  model.awardEarned.connect((_, { title, description }) => {
    // Of several tabs, only the visible one shows the notification.
    if (document.visibilityState === 'visible') {
      Notification.success(trans.__('Achievement: %1. %2', title, description), { autoClose: AWARD_NOTIFICATION_MS });
    }
  });
}

/** The shortcut of Check as this platform writes it; a user may have changed it in the settings. */
function formatCheckShortcut(commands: CommandRegistry): string {
  const binding = commands.keyBindings.find(({ command }) => command === CommandIDs.checkExercise);
  return CommandRegistry.formatKeystroke(binding?.keys ?? ['Accel Shift Enter']);
}

export default plugin;
