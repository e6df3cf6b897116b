/**
 * Registers the commands of the palette, the keyboard and the notebook's toolbar. Shortcuts and toolbar items are in schema/plugin.json,
 * where a user can change them.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon, type SidePanel } from '@jupyterlab/ui-components';

import type { Actions } from './actions';
import { stepsIcon } from './icons';
import type { ClassroomModel } from './model';
import { focusPanel } from './panel/focus';
import { CommandIDs } from './tokens';

export interface CommandOptions {
  readonly app: Pick<JupyterFrontEnd, 'commands' | 'shell'>;
  readonly panel: SidePanel;
  readonly palette: ICommandPalette | null;
  readonly model: ClassroomModel;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}

export function addCommands(options: CommandOptions): void {
  addPanelCommands(options);
  addLessonCommands(options);
  const category = options.trans.__('Classroom');
  Object.values(CommandIDs).forEach(command => options.palette?.addItem({ command, category }));
}

function addPanelCommands({ app, panel, model, trans }: CommandOptions): void {
  app.commands.addCommand(CommandIDs.openPanel, {
    label: trans.__('Show Lessons'),
    icon: stepsIcon,
    describedBy: NO_ARGUMENTS,
    execute: async () => {
      app.shell.activateById(panel.id);
      await waitForPaletteToClose();
      focusPanel(panel.node);
    }
  });
  app.commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Lessons'),
    icon: refreshIcon,
    describedBy: NO_ARGUMENTS,
    execute: () => model.refresh()
  });
}

function addLessonCommands({ app, model, actions, trans }: CommandOptions): void {
  app.commands.addCommand(CommandIDs.checkExercise, {
    label: trans.__('Check Exercise'),
    caption: trans.__('Save the notebook and check the exercise at the cursor'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => actions.findCurrentExercise() !== null,
    execute: async () => {
      const current = actions.findCurrentExercise();
      if (current) {
        await actions.checkExercise(current.lesson, current.exercise);
      }
    }
  });
  app.commands.addCommand(CommandIDs.submitLesson, {
    label: trans.__('Submit Lesson'),
    caption: trans.__('Submit the lesson of this notebook'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => actions.findCurrentLesson() !== null,
    isVisible: () => actions.findCurrentLesson() !== null,
    execute: async () => {
      const lesson = actions.findCurrentLesson();
      if (lesson) {
        await waitForPaletteToClose();
        await actions.submitLesson(lesson);
      }
    }
  });
  app.commands.addCommand(CommandIDs.openNextLesson, {
    label: trans.__('Open Next Lesson'),
    caption: () => model.nextLesson?.title ?? '',
    describedBy: NO_ARGUMENTS,
    isEnabled: () => model.nextLesson !== null,
    execute: () => actions.openNextLesson()
  });
}

/**
 * Resolves once a closing palette has returned the focus, which it does before the next frame. A command that moves the focus waits for
 * this, and so does one that opens a dialog, because a dialog returns the focus to where it was.
 */
function waitForPaletteToClose(): Promise<void> {
  return new Promise(resolve => requestAnimationFrame(() => resolve()));
}

const NO_ARGUMENTS = { args: { type: 'object', properties: {} } } as const;
