/**
 * What a person can do, whichever way it is asked for: panel, strip, palette, key. Each asks the model and moves the page.
 */
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ISignal } from '@lumino/signaling';

import { exerciseAt } from './exercises';
import type { ClassroomModel } from './model';
import { goTo, gradeIds, type Notebooks } from './notebooks';
import { PmhError } from './request';
import { submitLesson } from './submit/submit';
import type { ExerciseReply, LessonReply, MergeReply, OpenReply } from './wire';
import { isBusy } from './works';

export interface ActionsOptions {
  readonly model: ClassroomModel;
  readonly notebooks: Notebooks;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

/** An exercise that is at hand: where the cursor stands. */
export interface AtHand {
  readonly panel: NotebookPanel;
  readonly lesson: LessonReply;
  readonly exercise: ExerciseReply;
}

export class Actions {
  constructor(private readonly _options: ActionsOptions) {}

  /** Another notebook is in front. */
  get moved(): ISignal<INotebookTracker, NotebookPanel | null> {
    return this._options.notebooks.tracker.currentChanged;
  }

  /** The lesson of the notebook that is in front; null: none of the classroom that is shown. */
  lessonAtHand(): LessonReply | null {
    const { model, notebooks } = this._options;
    const panel = notebooks.tracker.currentWidget;
    const place = panel && notebooks.placeOf(panel);
    return place && place.classroom === model.classroom?.slug ? model.lesson(place.lesson) : null;
  }

  exerciseAtHand(): AtHand | null {
    const panel = this._options.notebooks.tracker.currentWidget;
    const lesson = this.lessonAtHand();
    const exercise = panel && lesson && exerciseAt(lesson, gradeIds(panel), panel.content.activeCellIndex);
    return exercise ? { panel, lesson, exercise } : null;
  }

  /** Saves the lesson's notebooks, then checks one exercise. A check that is under way is not sent twice. */
  async check(lesson: LessonReply, exercise: ExerciseReply): Promise<void> {
    const { model, notebooks, trans } = this._options;
    if (isBusy(model.works.get(lesson.slug, exercise.grade_id))) {
      return;
    }
    try {
      await notebooks.save(model.classroom?.slug ?? '', lesson.slug);
    } catch {
      this._say(trans.__('Not checked: the notebook could not be saved.'), trans.__('Save it, then check again.'));
      return;
    }
    await model.check(lesson.slug, exercise.grade_id);
  }

  async openLesson(lesson: LessonReply): Promise<void> {
    const { model, notebooks, commands } = this._options;
    const classroom = model.classroom?.slug ?? '';
    try {
      const reply = await model.open(lesson.slug, notebooks.unsaved(classroom, lesson.slug));
      if (reply.merged) {
        await notebooks.reload(classroom, lesson.slug);
      }
      await commands.execute('docmanager:open', { path: reply.notebooks[0] ?? reply.folder });
      this._tellMerge(lesson, reply);
      void model.refresh();
    } catch (error) {
      this._tell(error);
    }
  }

  async openNext(): Promise<void> {
    const next = this._options.model.next;
    if (next) {
      await this.openLesson(next);
    }
  }

  async submit(lesson: LessonReply): Promise<void> {
    const { model, notebooks, trans } = this._options;
    try {
      await submitLesson({ model, notebooks, trans, lesson });
    } catch (error) {
      this._tell(error);
    }
  }

  /** Puts the cursor where a fault showed. */
  goTo(panel: NotebookPanel, gradeId: string, line: number | null): void {
    void goTo(panel, gradeId, line);
  }

  private _tellMerge(lesson: LessonReply, reply: OpenReply): void {
    const { trans } = this._options;
    if (reply.postponed) {
      this._say(
        trans.__('A newer version of “%1” is waiting.', lesson.title),
        trans.__('Save the open notebook, then open the lesson again.')
      );
    } else if (reply.merged && touched(reply.merged) > 0) {
      const copy = reply.merged.copy_path;
      this._say(
        trans.__('“%1” was updated; what you wrote is kept.', lesson.title),
        copy ? trans.__('The notebook as it was: %1', copy) : ''
      );
    }
  }

  private _tell(error: unknown): void {
    if (!(error instanceof PmhError)) {
      throw error;
    }
    Notification.error(`${error.message} ${error.advice}`.trim(), { autoClose: 10_000 });
  }

  private _say(what: string, advice: string): void {
    Notification.info(`${what} ${advice}`.trim(), { autoClose: 10_000 });
  }
}

function touched(merged: MergeReply): number {
  const { updated, added, removed, conflicts } = merged;
  return updated.length + added.length + removed.length + conflicts.length;
}
