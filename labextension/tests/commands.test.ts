import type { ICommandPalette } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import type { SidePanel } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import type { Actions } from '../src/actions';
import { addCommands } from '../src/commands';
import type { ClassroomModel } from '../src/model';
import { keepFocusInside } from '../src/panel/focus';
import { CommandIDs } from '../src/tokens';
import { exercise, lesson } from './samples';

/** The registered commands, with actions that record what they are asked for. */
function createCommands() {
  const commands = new CommandRegistry();
  const panel = new Widget();
  panel.id = 'pmh-panel';
  panel.node.innerHTML = '<button class="pmh-Primary">Start</button>';
  document.body.replaceChildren(panel.node);
  const model = { nextLesson: lesson(), refresh: jest.fn(async () => undefined) };
  const actions = {
    findCurrentLesson: jest.fn(() => lesson()),
    findCurrentExercise: jest.fn(() => ({ lesson: lesson(), exercise: exercise('swap') })),
    checkExercise: jest.fn(async () => undefined),
    submitLesson: jest.fn(async () => undefined),
    openNextLesson: jest.fn(async () => undefined)
  };
  const palette = { addItem: jest.fn() };
  const shell = { activateById: jest.fn() };
  addCommands({
    app: { commands, shell } as unknown as Parameters<typeof addCommands>[0]['app'],
    panel: panel as unknown as SidePanel,
    palette: palette as unknown as ICommandPalette,
    model: model as unknown as ClassroomModel,
    actions: actions as unknown as Actions,
    trans: nullTranslator.load('pmh_jupyter')
  });
  return { commands, panel, model, actions, palette, shell };
}

test('every command has a label and is in the palette', () => {
  const { commands, palette } = createCommands();
  expect(commands.listCommands().sort()).toEqual(Object.values(CommandIDs).sort());
  expect(palette.addItem.mock.calls.map(([item]) => item.command).sort()).toEqual(Object.values(CommandIDs).sort());
  expect(Object.values(CommandIDs).map(id => commands.label(id))).not.toContain('');
});

test('commands that need a lesson are disabled without one', () => {
  const { commands, actions, model } = createCommands();
  for (const id of [CommandIDs.checkExercise, CommandIDs.submitLesson, CommandIDs.openNextLesson]) {
    expect(commands.isEnabled(id)).toBe(true);
  }
  actions.findCurrentLesson.mockReturnValue(null as never);
  actions.findCurrentExercise.mockReturnValue(null as never);
  (model as { nextLesson: unknown }).nextLesson = null;
  for (const id of [CommandIDs.checkExercise, CommandIDs.submitLesson, CommandIDs.openNextLesson]) {
    expect(commands.isEnabled(id)).toBe(false);
  }
  expect(commands.isVisible(CommandIDs.submitLesson)).toBe(false);
});

test('commands call their actions', async () => {
  const { commands, actions, model } = createCommands();
  await commands.execute(CommandIDs.checkExercise);
  await commands.execute(CommandIDs.submitLesson);
  await commands.execute(CommandIDs.openNextLesson);
  await commands.execute(CommandIDs.refresh);
  expect(actions.checkExercise).toHaveBeenCalledWith(
    expect.objectContaining({ slug: 'values' }),
    expect.objectContaining({ grade_id: 'swap' })
  );
  expect(actions.submitLesson).toHaveBeenCalledWith(expect.objectContaining({ slug: 'values' }));
  expect(actions.openNextLesson).toHaveBeenCalled();
  expect(model.refresh).toHaveBeenCalled();
});

/** A widget of the main area, which focuses its content with a second message, as JupyterLab's own widgets do. */
class MainWidget extends Widget {
  readonly content = new (class extends Widget {
    protected override onActivateRequest(): void {
      this.node.tabIndex = -1;
      this.node.focus();
    }
  })();

  protected override onActivateRequest(): void {
    this.content.activate();
  }
}

test('Show Lessons has the focus after the palette has given it back to the main area', async () => {
  const { commands, panel, shell } = createCommands();
  const main = new MainWidget();
  document.body.append(main.content.node);
  // The palette closes when a command was executed, and activates the current widget of the main area.
  commands.commandExecuted.connect(() => main.activate());
  await commands.execute(CommandIDs.openPanel);
  await new Promise(requestAnimationFrame);
  expect(shell.activateById).toHaveBeenCalledWith('pmh-panel');
  expect(document.activeElement).toBe(panel.node.querySelector('.pmh-Primary'));
});

test('Show Lessons focuses the panel itself while it has no control yet', async () => {
  const { commands, panel } = createCommands();
  panel.node.replaceChildren();
  keepFocusInside(panel.node);
  await commands.execute(CommandIDs.openPanel);
  expect(document.activeElement).toBe(panel.node);
});
