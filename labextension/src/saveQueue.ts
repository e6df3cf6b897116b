/**
 * Makes the saves of a notebook run one after another.
 *
 * JupyterLab starts a save while another one is running, finds that the file has changed, and asks the user whether to overwrite it. Each
 * check saves the notebook, so this would happen to students on a slow server who press Check during an autosave, or Check twice.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';

export type SavedContext = Pick<NotebookPanel['context'], 'save'>;

const contextsWithQueue = new WeakSet<SavedContext>();

/** Replaces `context.save`, which autosave and JupyterLab's commands call too. */
export function queueSaves(context: SavedContext): void {
  if (contextsWithQueue.has(context)) {
    return;
  }
  contextsWithQueue.add(context);
  const save = context.save.bind(context);
  let lastSave: Promise<void> = Promise.resolve();
  context.save = () => {
    lastSave = lastSave.then(save, save);
    return lastSave;
  };
}
