/**
 * The person's submissions in a classroom, by exercise: their state and their last verdict.
 */
import { Signal, type ISignal } from '@lumino/signaling';

import type { PmhError } from './request';
import type { EventReply, LabSubmissionReply, MessageReply, SubmissionReply, VerdictReply } from './wire';

export type SubmissionKind = SubmissionReply['kind'];
export type SubmissionState = 'sending' | LabSubmissionReply['state'];

/** The newest submission of one exercise. The previous verdict stays while a newer check runs, so that the page does not jump. */
export interface ExerciseSubmission {
  readonly id: string;
  readonly kind: SubmissionKind;
  readonly state: SubmissionState;
  /** Position in the grading queue, from 1. */
  readonly queuePosition: number | null;
  readonly verdict: VerdictReply | null;
  readonly repairs: readonly MessageReply[];
  /** What was left out when it was sent from this tab. */
  readonly leftOut: readonly MessageReply[];
  /** Why the hub could not grade it. The student is not responsible. */
  readonly graderError: MessageReply | null;
  /** Why it could not be sent. */
  readonly error: PmhError | null;
}

/** A submission of one exercise that was sent from this tab and has ended: graded, failed, or not sent. */
export interface FinishedExercise {
  readonly lesson: string;
  readonly gradeId: string;
  readonly submission: ExerciseSubmission;
}

interface PendingSubmission {
  readonly lesson: string;
  readonly exercises: readonly string[];
}

const BUSY_STATES: readonly SubmissionState[] = ['sending', 'queued', 'running'];

export function isBusy(submission: ExerciseSubmission | null): boolean {
  return submission !== null && BUSY_STATES.includes(submission.state);
}

export class SubmissionStore {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get finished(): ISignal<this, FinishedExercise> {
    return this._finished;
  }

  get(lesson: string, gradeId: string): ExerciseSubmission | null {
    return this._submissions.get(makeExerciseKey(lesson, gradeId)) ?? null;
  }

  /** Ids of submissions that the hub has neither graded nor rejected. */
  get pendingIds(): readonly string[] {
    return [...this._pending.keys()];
  }

  /** Whether an event only says that a check was received which this page has sent, and therefore shows. */
  isOwnCheck({ kind, data }: EventReply): boolean {
    return kind === 'submission-received' && data.kind === 'check' && this._pending.has(String(data.submission_id));
  }

  /** Removes all submissions, before another classroom is shown. */
  clear(): void {
    this._submissions.clear();
    this._pending.clear();
    this._changed.emit();
  }

  /** Records a submission that is about to be sent. */
  begin(id: string, kind: SubmissionKind, lesson: string, exercises: readonly string[]): void {
    this._pending.set(id, { lesson, exercises });
    exercises.forEach(gradeId => {
      const previous = this.get(lesson, gradeId);
      this._set(lesson, gradeId, {
        id,
        kind,
        state: 'sending',
        queuePosition: null,
        verdict: previous?.verdict ?? null,
        repairs: previous?.repairs ?? [],
        leftOut: [],
        graderError: null,
        error: null
      });
    });
    this._changed.emit();
  }

  /** Records the server extension's reply: the submission was sent to the hub, or waits in the outbox. */
  accept(reply: LabSubmissionReply): void {
    this._update(reply.id, { state: reply.state, leftOut: reply.left_out });
  }

  /** Ends a submission that could not be sent or was rejected for good. */
  fail(id: string, error: PmhError): void {
    this._finish(id, { state: 'failed', error });
  }

  /** Records the hub's reply about a submission, whether or not it was sent from this tab. */
  apply(reply: SubmissionReply): void {
    if (reply.state === 'queued' || reply.state === 'running') {
      if (!this._pending.has(reply.id)) {
        this._pending.set(reply.id, { lesson: reply.lesson, exercises: [] });
      }
      this._update(reply.id, { state: reply.state, queuePosition: reply.queue_position });
      return;
    }
    reply.verdicts.forEach(verdict => this._applyVerdict(reply, verdict));
    this._finish(reply.id, { state: reply.state, queuePosition: null, graderError: reply.grader_error });
  }

  /** Records a lesson's submissions, newest first, as after a reload. Newer submissions of this tab stay. */
  load(replies: readonly SubmissionReply[]): void {
    const loadedGradeIds = new Set<string>();
    for (const reply of replies) {
      if (reply.state === 'graded') {
        reply.verdicts
          .filter(verdict => !loadedGradeIds.has(verdict.grade_id))
          .forEach(verdict => {
            loadedGradeIds.add(verdict.grade_id);
            if (!isBusy(this.get(reply.lesson, verdict.grade_id))) {
              this._applyVerdict(reply, verdict);
            }
          });
      } else if (reply.state !== 'failed') {
        this.apply(reply);
      }
    }
    this._changed.emit();
  }

  private _applyVerdict(reply: SubmissionReply, verdict: VerdictReply): void {
    const current = this.get(reply.lesson, verdict.grade_id);
    if (current && current.id !== reply.id && isBusy(current)) {
      this._set(reply.lesson, verdict.grade_id, { ...current, verdict, repairs: reply.repairs });
      return;
    }
    this._set(reply.lesson, verdict.grade_id, {
      id: reply.id,
      kind: reply.kind,
      state: 'graded',
      queuePosition: null,
      verdict,
      repairs: reply.repairs,
      leftOut: current?.id === reply.id ? current.leftOut : [],
      graderError: null,
      error: null
    });
  }

  private _finish(id: string, change: Partial<ExerciseSubmission>): void {
    const pending = this._pending.get(id);
    this._update(id, change);
    this._pending.delete(id);
    pending?.exercises.forEach(gradeId => {
      const submission = this.get(pending.lesson, gradeId);
      if (submission?.id === id) {
        this._finished.emit({ lesson: pending.lesson, gradeId, submission });
      }
    });
  }

  private _update(id: string, change: Partial<ExerciseSubmission>): void {
    const pending = this._pending.get(id);
    pending?.exercises.forEach(gradeId => {
      const submission = this.get(pending.lesson, gradeId);
      if (submission?.id === id) {
        this._set(pending.lesson, gradeId, { ...submission, ...change });
      }
    });
    this._changed.emit();
  }

  private _set(lesson: string, gradeId: string, submission: ExerciseSubmission): void {
    this._submissions.set(makeExerciseKey(lesson, gradeId), submission);
  }

  private readonly _submissions = new Map<string, ExerciseSubmission>();
  private readonly _pending = new Map<string, PendingSubmission>();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _finished = new Signal<this, FinishedExercise>(this);
}

/** Identifies an exercise in a classroom: two lessons can have exercises of the same grade_id. */
export function makeExerciseKey(lesson: string, gradeId: string): string {
  return `${lesson}/${gradeId}`;
}
