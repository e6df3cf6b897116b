/**
 * The commands of the palette, the keys and the notebook's toolbar. Keys and toolbar are in schema/plugin.json, where a user can change
 * them.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon, type SidePanel } from '@jupyterlab/ui-components';

import type { Actions } from './actions';
import { stepsIcon } from './icons';
import type { ClassroomModel } from './model';
import { focusPanel } from './panel';
import { CommandIDs } from './tokens';

export interface CommandOptions {
  readonly app: JupyterFrontEnd;
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
      await paletteClosed();
      focusPanel(panel);
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
    isEnabled: () => actions.exerciseAtHand() !== null,
    execute: async () => {
      const found = actions.exerciseAtHand();
      if (found) {
        await actions.check(found.lesson, found.exercise);
      }
    }
  });
  app.commands.addCommand(CommandIDs.submitLesson, {
    label: trans.__('Submit Lesson'),
    caption: trans.__('Hand in the lesson of this notebook'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => actions.lessonAtHand() !== null,
    isVisible: () => actions.lessonAtHand() !== null,
    execute: async () => {
      const lesson = actions.lessonAtHand();
      if (lesson) {
        await paletteClosed();
        await actions.submit(lesson);
      }
    }
  });
  app.commands.addCommand(CommandIDs.openNextLesson, {
    label: trans.__('Open Next Lesson'),
    caption: () => model.next?.title ?? '',
    describedBy: NO_ARGUMENTS,
    isEnabled: () => model.next !== null,
    execute: () => actions.openNext()
  });
}

/**
 * The palette, as it closes, gives the focus back to where it was. What takes the focus itself must come after that, and a dialog even
 * to know where to give it back to.
 */
function paletteClosed(): Promise<void> {
  return new Promise(resolve => requestAnimationFrame(() => resolve()));
}

const NO_ARGUMENTS = { args: { type: 'object', properties: {} } } as const;
