/**
 * Puts strips and results into the cells of the lessons' notebooks, and keeps them right while cells come, go and move.
 *
 * JupyterLab makes a cell's widget anew when the cell is moved, undone or loaded, renders it late, and in one of its windowing modes
 * takes it off the page while it is out of sight. So nothing is remembered here but which widget holds what: at every change the wanted
 * places are worked out anew from the cells' grade_ids, and a cell's content is inserted once that cell is ready.
 */
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { PanelLayout, Widget } from '@lumino/widgets';
import { createElement } from 'react';

import { placements, type LessonPlace } from '../exercises';
import type { ClassroomModel } from '../model';
import { gradeIds } from '../notebooks';
import { keepOwnKeys } from './keys';
import { Result } from './result';
import { Strip, type ExerciseProps } from './strip';

type Part = 'strip' | 'result';

/** What sits in one cell: for each part the exercise it shows and the widget that shows it. */
type Inserted = Map<Part, { readonly gradeId: string; readonly widget: Widget }>;

export type StripOptions = Omit<ExerciseProps, 'lesson' | 'gradeId' | 'onGoTo'> & {
  readonly model: ClassroomModel;
  readonly onGoTo: (panel: NotebookPanel, gradeId: string, line: number | null) => void;
};

export class NotebookStrips implements IDisposable {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _place: LessonPlace,
    private readonly _options: StripOptions
  ) {
    _options.model.changed.connect(this._plan, this);
    _panel.content.modelContentChanged.connect(this._plan, this);
    _panel.content.modelChanged.connect(this._plan, this);
    _panel.disposed.connect(this.dispose, this);
    this._arrange();
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this._disposed = true;
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  /** A keystroke, too, changes the content; working the places out once in a while is enough. */
  private _plan(): void {
    void this._debouncer.invoke().catch(() => undefined);
  }

  private _arrange(): void {
    const { model } = this._options;
    const mine = model.classroom?.slug === this._place.classroom;
    const lesson = mine ? model.lesson(this._place.lesson) : null;
    const wanted = new Map<number, Map<Part, string>>();
    for (const { exercise, strip, result } of lesson ? placements(lesson, gradeIds(this._panel)) : []) {
      put(wanted, strip, 'strip', exercise.grade_id);
      put(wanted, result, 'result', exercise.grade_id);
    }
    this._panel.content.widgets.forEach((cell, index) => this._fill(cell, wanted.get(index) ?? new Map()));
  }

  private _fill(cell: Cell, wanted: ReadonlyMap<Part, string>): void {
    const inserted = this._inserted.get(cell) ?? new Map();
    inserted.forEach(({ gradeId, widget }, part) => {
      if (wanted.get(part) !== gradeId) {
        widget.dispose();
        inserted.delete(part);
      }
    });
    wanted.forEach((gradeId, part) => {
      if (!inserted.has(part)) {
        const widget = this._make(part, gradeId);
        inserted.set(part, { gradeId, widget });
        void cell.ready.then(() => insert(cell, part, widget));
      }
    });
    this._inserted.set(cell, inserted);
  }

  private _make(part: Part, gradeId: string): Widget {
    const { onGoTo, ...options } = this._options;
    const props: ExerciseProps = {
      ...options,
      lesson: this._place.lesson,
      gradeId,
      onGoTo: (target, line) => onGoTo(this._panel, target, line)
    };
    const widget = ReactWidget.create(createElement(part === 'strip' ? Strip : Result, props));
    widget.addClass('pmh-InCell');
    keepOwnKeys(widget.node);
    // Nor is a click here meant for the cell.
    ['mousedown', 'dblclick'].forEach(type =>
      widget.node.addEventListener(type, event => event.stopPropagation())
    );
    return widget;
  }

  private readonly _inserted = new WeakMap<Cell, Inserted>();
  private readonly _debouncer = new Debouncer(() => this._arrange(), 60);
  private _disposed = false;
}

function put(wanted: Map<number, Map<Part, string>>, index: number, part: Part, gradeId: string): void {
  const parts = wanted.get(index) ?? new Map<Part, string>();
  parts.set(part, gradeId);
  wanted.set(index, parts);
}

/** The strip goes above the cell's input, the result below all but the footer. */
function insert(cell: Cell, part: Part, widget: Widget): void {
  if (cell.isDisposed || widget.isDisposed) {
    widget.dispose();
    return;
  }
  const layout = cell.layout as PanelLayout;
  layout.insertWidget(part === 'strip' ? 1 : layout.widgets.length - 1, widget);
}
