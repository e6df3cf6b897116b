/**
 * The work of this person on the exercises of a classroom: what was sent, what became of it, and the last verdict of each exercise.
 */
import { Signal, type ISignal } from '@lumino/signaling';

import type { PmhError } from './request';
import type { LabWorkReply, VerdictReply, WorkReply } from './wire';

export type WorkState = 'sending' | LabWorkReply['state'];

/** Where one exercise stands in this browser. The verdict stays while a newer check runs, so that nothing jumps. */
export interface ExerciseWork {
  readonly id: string;
  readonly kind: WorkReply['kind'];
  readonly state: WorkState;
  /** Place in the queue, from 1. */
  readonly position: number | null;
  readonly verdict: VerdictReply | null;
  readonly healed: readonly string[];
  /** Why the hub could not grade it; not the student's doing. */
  readonly fault: string;
  /** Why it could not be sent. */
  readonly error: PmhError | null;
}

/** An exercise whose work, begun in this tab, has come to an end. */
export interface Finished {
  readonly lesson: string;
  readonly gradeId: string;
  readonly work: ExerciseWork;
}

interface Pending {
  readonly lesson: string;
  readonly exercises: readonly string[];
}

const RUNNING: readonly WorkState[] = ['sending', 'queued', 'running'];

export function isBusy(work: ExerciseWork | null): boolean {
  return work !== null && RUNNING.includes(work.state);
}

export class Works {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get finished(): ISignal<this, Finished> {
    return this._finished;
  }

  get(lesson: string, gradeId: string): ExerciseWork | null {
    return this._works.get(key(lesson, gradeId)) ?? null;
  }

  /** Ids of work that the hub has not answered for good. */
  get pending(): readonly string[] {
    return [...this._pending.keys()];
  }

  /** Forgets everything: another classroom is shown. */
  clear(): void {
    this._works.clear();
    this._pending.clear();
    this._changed.emit();
  }

  /** Work is about to be sent. */
  begin(id: string, kind: WorkReply['kind'], lesson: string, exercises: readonly string[]): void {
    this._pending.set(id, { lesson, exercises });
    exercises.forEach(gradeId => {
      const before = this.get(lesson, gradeId);
      this._set(lesson, gradeId, {
        id,
        kind,
        state: 'sending',
        position: null,
        verdict: before?.verdict ?? null,
        healed: before?.healed ?? [],
        fault: '',
        error: null
      });
    });
    this._changed.emit();
  }

  /** The server extension took it: handed on, or kept in the outbox. */
  accept(reply: LabWorkReply): void {
    this._update(reply.id, { state: reply.state });
  }

  /** It could not be sent, or was refused for good. */
  fail(id: string, error: PmhError): void {
    this._end(id, { state: 'failed', error });
  }

  /** What the hub says of work, pending here or not. */
  apply(work: WorkReply): void {
    if (work.state === 'queued' || work.state === 'running') {
      if (!this._pending.has(work.id)) {
        this._pending.set(work.id, { lesson: work.lesson, exercises: [] });
      }
      this._update(work.id, { state: work.state, position: work.position });
      return;
    }
    work.verdicts.forEach(verdict => this._judge(work, verdict));
    this._end(work.id, { state: work.state, position: null, fault: work.fault });
  }

  /** A person's work on a lesson, newest first, as after a reload. What this tab knows to be newer stays. */
  load(works: readonly WorkReply[]): void {
    const seen = new Set<string>();
    for (const work of works) {
      if (work.state === 'graded') {
        work.verdicts
          .filter(verdict => !seen.has(verdict.grade_id))
          .forEach(verdict => {
            seen.add(verdict.grade_id);
            if (!isBusy(this.get(work.lesson, verdict.grade_id))) {
              this._judge(work, verdict);
            }
          });
      } else if (work.state !== 'failed') {
        this.apply(work);
      }
    }
    this._changed.emit();
  }

  private _judge(work: WorkReply, verdict: VerdictReply): void {
    const before = this.get(work.lesson, verdict.grade_id);
    if (before && before.id !== work.id && isBusy(before)) {
      this._set(work.lesson, verdict.grade_id, { ...before, verdict, healed: work.healed });
      return;
    }
    this._set(work.lesson, verdict.grade_id, {
      id: work.id,
      kind: work.kind,
      state: 'graded',
      position: null,
      verdict,
      healed: work.healed,
      fault: '',
      error: null
    });
  }

  private _end(id: string, change: Partial<ExerciseWork>): void {
    const pending = this._pending.get(id);
    this._update(id, change);
    this._pending.delete(id);
    pending?.exercises.forEach(gradeId => {
      const work = this.get(pending.lesson, gradeId);
      if (work?.id === id) {
        this._finished.emit({ lesson: pending.lesson, gradeId, work });
      }
    });
  }

  private _update(id: string, change: Partial<ExerciseWork>): void {
    const pending = this._pending.get(id);
    pending?.exercises.forEach(gradeId => {
      const work = this.get(pending.lesson, gradeId);
      if (work?.id === id) {
        this._set(pending.lesson, gradeId, { ...work, ...change });
      }
    });
    this._changed.emit();
  }

  private _set(lesson: string, gradeId: string, work: ExerciseWork): void {
    this._works.set(key(lesson, gradeId), work);
  }

  private readonly _works = new Map<string, ExerciseWork>();
  private readonly _pending = new Map<string, Pending>();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _finished = new Signal<this, Finished>(this);
}

function key(lesson: string, gradeId: string): string {
  return `${lesson}/${gradeId}`;
}
