/**
 * The open notebooks of a lesson: finds them, saves them, and reloads them from the disk.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

import { parseGradedCell, parseLessonPath, type LessonPath } from './exercises';

export class LessonNotebooks {
  constructor(
    readonly tracker: INotebookTracker,
    private readonly _contents: Contents.IManager
  ) {}

  /** The classroom and lesson of a notebook; null when it is in no lesson's folder. */
  findLessonPath(panel: NotebookPanel): LessonPath | null {
    return parseLessonPath(this._contents.localPath(panel.context.path));
  }

  /** Server paths of a lesson's notebooks with unsaved changes. */
  listUnsavedPaths(classroom: string, lesson: string): string[] {
    return this._listPanels(classroom, lesson)
      .filter(panel => panel.context.model.dirty)
      .map(panel => this._contents.localPath(panel.context.path));
  }

  /** Saves the notebooks with unsaved changes, because the files on the disk are graded. */
  async save(classroom: string, lesson: string): Promise<void> {
    const unsavedPanels = this._listPanels(classroom, lesson).filter(panel => panel.context.model.dirty);
    await Promise.all(unsavedPanels.map(panel => panel.context.save()));
  }

  /** Reloads the notebooks without unsaved changes, after their files have changed on the disk. */
  async reload(classroom: string, lesson: string): Promise<void> {
    const savedPanels = this._listPanels(classroom, lesson).filter(panel => !panel.context.model.dirty);
    await Promise.all(savedPanels.map(panel => panel.context.revert()));
  }

  private _listPanels(classroom: string, lesson: string): NotebookPanel[] {
    return this.tracker.filter(panel => {
      const path = this.findLessonPath(panel);
      return path?.classroom === classroom && path.lesson === lesson;
    });
  }
}

/** The grade_id of each cell, in order; null for a cell that is not graded. */
export function readGradeIds(panel: NotebookPanel): (string | null)[] {
  return panel.content.widgets.map(cell => parseGradedCell(cell.model.sharedModel.getMetadata())?.gradeId ?? null);
}

/** Scrolls to the cell with this grade_id and puts the cursor at the start of `line` (from 1; null: selects the cell only). */
export async function goToCell(panel: NotebookPanel, gradeId: string, line: number | null): Promise<void> {
  const index = readGradeIds(panel).indexOf(gradeId);
  const cell = panel.content.widgets[index];
  if (!cell) {
    return;
  }
  panel.content.activeCellIndex = index;
  await panel.content.scrollToItem(index, 'smart');
  await cell.ready;
  if (line === null) {
    cell.node.focus();
    return;
  }
  panel.content.mode = 'edit';
  const lastLine = (cell.editor?.lineCount ?? 1) - 1;
  cell.editor?.setCursorPosition({ line: Math.min(line - 1, lastLine), column: 0 });
  cell.editor?.focus();
}
