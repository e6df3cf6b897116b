/**
 * The user's actions, from the panel, a strip, the palette or a key. Each action calls the model and then changes the page.
 */
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ISignal } from '@lumino/signaling';

import { findExerciseAtCell } from './exercises';
import type { ClassroomModel } from './model';
import { readGradeIds, type LessonNotebooks } from './notebooks';
import { asPmhError } from './request';
import { isBusy, makeExerciseKey } from './submissions';
import { confirmAndSubmit } from './submit/submitDialog';
import type { ExerciseReply, LessonReply, MergeReply, OpenLessonReply } from './wire';

const NOTIFICATION_MS = 10_000;

export interface ActionsOptions {
  readonly model: ClassroomModel;
  readonly notebooks: LessonNotebooks;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

/** The exercise at the cursor. */
export interface CurrentExercise {
  readonly lesson: LessonReply;
  readonly exercise: ExerciseReply;
}

export class Actions {
  constructor(private readonly _options: ActionsOptions) {}

  get currentNotebookChanged(): ISignal<INotebookTracker, NotebookPanel | null> {
    return this._options.notebooks.tracker.currentChanged;
  }

  /** The lesson of the current notebook; null when it belongs to no lesson of the classroom that is shown. */
  findCurrentLesson(): LessonReply | null {
    const { model, notebooks } = this._options;
    const panel = notebooks.tracker.currentWidget;
    const path = panel && notebooks.findLessonPath(panel);
    return path && path.classroom === model.classroom?.slug ? model.findLesson(path.lesson) : null;
  }

  findCurrentExercise(): CurrentExercise | null {
    const panel = this._options.notebooks.tracker.currentWidget;
    const lesson = this.findCurrentLesson();
    const exercise = panel && lesson && findExerciseAtCell(lesson, readGradeIds(panel), panel.content.activeCellIndex);
    return exercise ? { lesson, exercise } : null;
  }

  /**
   * Saves the lesson's notebooks, then checks one exercise. Does nothing while a check of that exercise is running, or if another
   * classroom is chosen before the notebooks are saved.
   */
  async checkExercise(lesson: LessonReply, exercise: ExerciseReply): Promise<void> {
    const { model, notebooks, trans } = this._options;
    const gradeId = exercise.grade_id;
    const exerciseKey = makeExerciseKey(lesson.slug, gradeId);
    if (this._exercisesToSave.has(exerciseKey) || isBusy(model.submissions.get(lesson.slug, gradeId))) {
      return;
    }
    const classroom = model.classroom?.slug ?? '';
    this._exercisesToSave.add(exerciseKey);
    try {
      await notebooks.save(classroom, lesson.slug);
    } catch {
      this._notify(trans.__('Not checked: the notebook could not be saved. Save it, then check again.'));
      return;
    } finally {
      this._exercisesToSave.delete(exerciseKey);
    }
    // The other classroom may have a lesson with this slug, too.
    if (model.classroom?.slug === classroom) {
      await model.sendCheck(lesson.slug, gradeId);
    }
  }

  /** Writes the lesson's files to the server, updates them to the newest release, and opens the first notebook. */
  async openLesson(lesson: LessonReply): Promise<void> {
    const { model, notebooks, commands } = this._options;
    const classroom = model.classroom?.slug ?? '';
    try {
      const reply = await model.openLesson(lesson.slug, notebooks.listUnsavedPaths(classroom, lesson.slug));
      if (reply.merge) {
        await notebooks.reload(classroom, lesson.slug);
      }
      await commands.execute('docmanager:open', { path: reply.notebooks[0] ?? reply.folder });
      this._reportUpdate(lesson, reply);
      void model.refresh();
    } catch (error) {
      this._reportError(error);
    }
  }

  async openNextLesson(): Promise<void> {
    const { nextLesson } = this._options.model;
    if (nextLesson) {
      await this.openLesson(nextLesson);
    }
  }

  /** Asks for confirmation, submits the lesson and shows the receipt. */
  async submitLesson(lesson: LessonReply): Promise<void> {
    const { model, notebooks, trans } = this._options;
    try {
      await confirmAndSubmit({ model, notebooks, trans, lesson });
    } catch (error) {
      this._reportError(error);
    }
  }

  private _reportUpdate(lesson: LessonReply, reply: OpenLessonReply): void {
    const { trans } = this._options;
    if (reply.is_update_postponed) {
      this._notify(
        trans.__('A new version of “%1” is available. Save the open notebook, then open the lesson again.', lesson.title)
      );
    } else if (reply.merge && countChanges(reply.merge) > 0) {
      const backup = reply.merge.backup_path;
      this._notify(
        backup
          ? trans.__('“%1” was updated. Your answers were kept; a backup of your version is in %2.', lesson.title, backup)
          : trans.__('“%1” was updated. Your answers were kept.', lesson.title)
      );
    }
  }

  private _reportError(reason: unknown): void {
    const error = asPmhError(reason);
    Notification.error(`${error.message} ${error.advice}`.trim(), { autoClose: NOTIFICATION_MS });
  }

  private _notify(text: string): void {
    Notification.info(text, { autoClose: NOTIFICATION_MS });
  }

  /** Keys of the exercises whose check waits until the notebook is saved. */
  private readonly _exercisesToSave = new Set<string>();
}

function countChanges({ updated, added, removed, conflicts }: MergeReply): number {
  return updated.length + added.length + removed.length + conflicts.length;
}
