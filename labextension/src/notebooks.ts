/**
 * The open notebooks of a lesson: which there are, saving them, and bringing them up to date with the disk.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

import { gradedCell, lessonOfPath, type LessonPlace } from './exercises';

export class Notebooks {
  constructor(
    readonly tracker: INotebookTracker,
    private readonly _contents: Contents.IManager
  ) {}

  /** The lesson that a notebook belongs to; null: it is not in one. */
  placeOf(panel: NotebookPanel): LessonPlace | null {
    return lessonOfPath(this._contents.localPath(panel.context.path));
  }

  ofLesson(classroom: string, lesson: string): NotebookPanel[] {
    return this.tracker.filter(panel => {
      const place = this.placeOf(panel);
      return place?.classroom === classroom && place.lesson === lesson;
    });
  }

  /** Server paths of those with unsaved changes. */
  unsaved(classroom: string, lesson: string): string[] {
    return this.ofLesson(classroom, lesson)
      .filter(panel => panel.context.model.dirty)
      .map(panel => this._contents.localPath(panel.context.path));
  }

  /** Saves those with unsaved changes: what is graded is what lies on the disk. */
  async save(classroom: string, lesson: string): Promise<void> {
    const dirty = this.ofLesson(classroom, lesson).filter(panel => panel.context.model.dirty);
    await Promise.all(dirty.map(panel => panel.context.save()));
  }

  /** Reads those without unsaved changes again, after their files have changed on the disk. */
  async reload(classroom: string, lesson: string): Promise<void> {
    const clean = this.ofLesson(classroom, lesson).filter(panel => !panel.context.model.dirty);
    await Promise.all(clean.map(panel => panel.context.revert()));
  }
}

/** The grade_id of each cell, in order; null for a cell that is no part of an exercise. */
export function gradeIds(panel: NotebookPanel): (string | null)[] {
  return panel.content.widgets.map(cell => gradedCell(cell.model.sharedModel.getMetadata())?.gradeId ?? null);
}

/** Scrolls to the cell with this grade_id and puts the cursor at the start of `line` (from 1; null: the cell alone). */
export async function goTo(panel: NotebookPanel, gradeId: string, line: number | null): Promise<void> {
  const index = gradeIds(panel).indexOf(gradeId);
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
  const last = (cell.editor?.lineCount ?? 1) - 1;
  cell.editor?.setCursorPosition({ line: Math.min(line - 1, last), column: 0 });
  cell.editor?.focus();
}
