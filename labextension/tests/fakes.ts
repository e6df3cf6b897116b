/**
 * Stand-ins for JupyterLab's objects and for our model, with only what the code under test uses.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { PanelLayout, Widget } from '@lumino/widgets';

import { findLesson } from '../src/exercises';
import type { ClassroomModel } from '../src/model';
import type { PmhError } from '../src/request';
import { SubmissionStore } from '../src/submissions';
import type { LessonReply, OutboxReply, OutlineReply } from '../src/wire';
import { outline } from './samples';

/** A notebook cell with the parts that strips are inserted between: header, input, footer. */
export class FakeCell extends Widget {
  readonly ready = Promise.resolve();
  readonly model: { readonly sharedModel: { readonly getMetadata: () => unknown } };

  constructor(gradeId: string | null) {
    super();
    const metadata = gradeId ? { nbgrader: { grade_id: gradeId, solution: true } } : {};
    this.model = { sharedModel: { getMetadata: () => metadata } };
    const layout = (this.layout = new PanelLayout());
    ['header', 'input', 'footer'].forEach(name => {
      const part = new Widget();
      part.addClass(name);
      layout.addWidget(part);
    });
  }

  /** The classes of the cell's children, in order. */
  get parts(): string[] {
    return (this.layout as PanelLayout).widgets.map(widget =>
      widget.hasClass('pmh-InCell') ? (widget.node.firstElementChild?.className ?? 'empty') : (widget.node.classList[1] ?? '')
    );
  }
}

/** An open notebook whose cells have these grade_ids. */
export class FakeNotebook {
  readonly context = {
    path: 'courses/spring/values/lesson.ipynb',
    model: { dirty: false },
    save: jest.fn(async () => undefined),
    revert: jest.fn(async () => undefined)
  };
  readonly content = {
    widgets: [] as FakeCell[],
    activeCellIndex: 0,
    modelChanged: new Signal<object, void>({}),
    modelContentChanged: new Signal<object, void>({})
  };
  readonly disposed = new Signal<object, void>({});

  constructor(gradeIds: readonly (string | null)[] = []) {
    this.setCells(gradeIds.map(gradeId => new FakeCell(gradeId)));
  }

  setCells(cells: FakeCell[]): void {
    this.content.widgets = cells;
    this.content.modelContentChanged.emit();
  }

  get panel(): NotebookPanel {
    return this as unknown as NotebookPanel;
  }
}

/** A model with what the panel and the strips read of it. */
export class FakeModel {
  readonly changed = new Signal<this, void>(this);
  readonly submissions = new SubmissionStore();
  phase = 'ready';
  error: PmhError | null = null;
  outline: OutlineReply | null = outline();
  classrooms = [outline().classroom];
  selectedSlug: string | null = 'spring';
  isOnline = true;
  outbox: OutboxReply = { waiting: [], rejected: [] };
  refresh = jest.fn(async () => undefined);
  selectClassroom = jest.fn(async () => undefined);
  join: jest.Mock = jest.fn(async () => undefined);
  sendOutbox = jest.fn(async () => undefined);
  deleteRejected = jest.fn(async () => undefined);

  get classroom(): OutlineReply['classroom'] | null {
    return this.outline?.classroom ?? null;
  }

  get nextLesson(): LessonReply | null {
    return this.outline?.units[0]?.lessons[0] ?? null;
  }

  findLesson = (slug: string) => findLesson(this.outline, slug);

  get classroomModel(): ClassroomModel {
    return this as unknown as ClassroomModel;
  }
}

/** A tracker of open notebooks; the last one is the current one. */
export function fakeTracker(...notebooks: FakeNotebook[]): INotebookTracker {
  return {
    currentWidget: notebooks.at(-1)?.panel ?? null,
    currentChanged: new Signal<object, NotebookPanel | null>({}),
    filter: (condition: (panel: NotebookPanel) => boolean) => notebooks.map(({ panel }) => panel).filter(condition)
  } as unknown as INotebookTracker;
}

export const fakeContents = { localPath: (path: string) => path } as unknown as Contents.IManager;
