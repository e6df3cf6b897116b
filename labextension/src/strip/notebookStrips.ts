/**
 * Puts strips and results into the cells of a lesson's notebook, and keeps them in place when cells are added, deleted or moved.
 *
 * JupyterLab creates a new widget for a cell that is moved, restored or loaded, renders it late, and in one windowing mode removes it from
 * the page while it is out of sight. So the only state here is which widget is in which cell. At every change the placements are computed
 * again from the cells' grade_ids, and a widget is inserted once its cell is ready.
 */
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { PanelLayout, Widget } from '@lumino/widgets';
import { createElement } from 'react';

import { placeExercises, type LessonPath } from '../exercises';
import type { ClassroomModel } from '../model';
import { readGradeIds } from '../notebooks';
import { stopPlainKeys } from './keyIsolation';
import { Result } from './result';
import { Strip, type ExerciseProps } from './strip';

type Part = 'strip' | 'result';

/** The parts in one cell, each with the exercise that it shows and its widget. */
type InsertedParts = Map<Part, { readonly gradeId: string; readonly widget: Widget }>;

export type StripOptions = Omit<ExerciseProps, 'lesson' | 'gradeId' | 'onGoTo'> & {
  readonly model: ClassroomModel;
  readonly onGoTo: (panel: NotebookPanel, gradeId: string, line: number | null) => void;
};

/** A keystroke changes the notebook's content as well, so changes are collected for a moment. */
const UPDATE_DELAY_MS = 60;

export class NotebookStrips implements IDisposable {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _lessonPath: LessonPath,
    private readonly _options: StripOptions
  ) {
    _options.model.changed.connect(this._scheduleUpdate, this);
    _panel.content.modelContentChanged.connect(this._scheduleUpdate, this);
    _panel.content.modelChanged.connect(this._scheduleUpdate, this);
    _panel.disposed.connect(this.dispose, this);
    this._update();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  private _scheduleUpdate(): void {
    // Rejects when the strips are disposed in between.
    void this._debouncer.invoke().catch(() => undefined);
  }

  private _update(): void {
    const { model } = this._options;
    const isShown = model.classroom?.slug === this._lessonPath.classroom;
    const lesson = isShown ? model.findLesson(this._lessonPath.lesson) : null;
    const partsByCell = new Map<number, Map<Part, string>>();
    for (const { exercise, stripIndex, resultIndex } of lesson ? placeExercises(lesson, readGradeIds(this._panel)) : []) {
      addPart(partsByCell, stripIndex, 'strip', exercise.grade_id);
      addPart(partsByCell, resultIndex, 'result', exercise.grade_id);
    }
    this._panel.content.widgets.forEach((cell, index) => this._updateCell(cell, partsByCell.get(index) ?? new Map()));
  }

  private _updateCell(cell: Cell, parts: ReadonlyMap<Part, string>): void {
    const insertedParts: InsertedParts = this._insertedParts.get(cell) ?? new Map();
    insertedParts.forEach(({ gradeId, widget }, part) => {
      if (parts.get(part) !== gradeId) {
        widget.dispose();
        insertedParts.delete(part);
      }
    });
    parts.forEach((gradeId, part) => {
      if (!insertedParts.has(part)) {
        const widget = this._createWidget(part, gradeId);
        insertedParts.set(part, { gradeId, widget });
        void cell.ready.then(() => insertIntoCell(cell, part, widget));
      }
    });
    this._insertedParts.set(cell, insertedParts);
  }

  private _createWidget(part: Part, gradeId: string): Widget {
    const { onGoTo, ...options } = this._options;
    const props: ExerciseProps = {
      ...options,
      lesson: this._lessonPath.lesson,
      gradeId,
      onGoTo: (target, line) => onGoTo(this._panel, target, line)
    };
    const widget = ReactWidget.create(createElement(part === 'strip' ? Strip : Result, props));
    widget.addClass('pmh-InCell');
    stopPlainKeys(widget.node);
    // Clicks do not select or edit the cell either.
    ['mousedown', 'dblclick'].forEach(type => widget.node.addEventListener(type, event => event.stopPropagation()));
    return widget;
  }

  private readonly _insertedParts = new WeakMap<Cell, InsertedParts>();
  private readonly _debouncer = new Debouncer(() => this._update(), UPDATE_DELAY_MS);
  private _isDisposed = false;
}

function addPart(partsByCell: Map<number, Map<Part, string>>, cellIndex: number, part: Part, gradeId: string): void {
  const parts = partsByCell.get(cellIndex) ?? new Map<Part, string>();
  parts.set(part, gradeId);
  partsByCell.set(cellIndex, parts);
}

/** Inserts a strip above the cell's input, and a result at the end, before the cell's footer. */
function insertIntoCell(cell: Cell, part: Part, widget: Widget): void {
  if (cell.isDisposed || widget.isDisposed) {
    widget.dispose();
    return;
  }
  const layout = cell.layout as PanelLayout;
  layout.insertWidget(part === 'strip' ? 1 : layout.widgets.length - 1, widget);
}
