/**
 * The classroom that this tab shows: its map, the work in it, and whether the hub can be reached. Everything on the page reads from
 * here and asks for changes here; it holds no widget and no element.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Api } from './api';
import { findLesson } from './exercises';
import { Feed } from './feed';
import type { Memory } from './memory';
import { Outbox } from './outbox';
import { asPmhError, PmhError } from './request';
import { Results } from './results';
import type { ClassroomReply, EventReply, LabWorkReply, LessonReply } from './wire';
import type { OpenReply, OutboxReply, OutlineReply } from './wire';
import { Works } from './works';

export type Phase = 'loading' | 'ready' | 'no-classroom' | 'failed';

export interface Award {
  readonly title: string;
  readonly description: string;
  readonly icon: string;
}

/** How soon after an event the map is fetched again: events come in bursts. Milliseconds. */
const SETTLE = 200;
/** How often to look whether the hub is back. Milliseconds. */
const RETRY = 15_000;

export class ClassroomModel implements IDisposable {
  constructor(
    private readonly _api: Api,
    private readonly _memory: Memory
  ) {
    this.works = new Works();
    this._outbox = new Outbox(_api, this.works);
    this._feed = new Feed({
      api: _api,
      onEvent: event => this._hear(event),
      onLag: () => this._refreshSoon(),
      onTurn: connected => this._suspect(connected)
    });
    this._results = new Results(_api, this.works, this._feed, () => this._suspect(false));
  }

  readonly works: Works;

  /** Anything but the works has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get awarded(): ISignal<this, Award> {
    return this._awarded;
  }

  get phase(): Phase {
    return this._phase;
  }

  /** What went wrong at the last refresh. */
  get error(): PmhError | null {
    return this._error;
  }

  get classrooms(): readonly ClassroomReply[] {
    return this._classrooms;
  }

  get classroom(): ClassroomReply | null {
    return this._outline?.classroom ?? null;
  }

  get outline(): OutlineReply | null {
    return this._outline;
  }

  /** False while the hub cannot be reached; the map is then the last one known. */
  get online(): boolean {
    return this._online;
  }

  /** What could not be sent yet, and what the hub refused. */
  get outbox(): OutboxReply {
    return this._outbox.entries;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    clearTimeout(this._settle);
    clearTimeout(this._retry);
    this._feed.dispose();
    this._results.dispose();
    Signal.clearData(this);
  }

  lesson(slug: string): LessonReply | null {
    return findLesson(this._outline, slug);
  }

  /** The lesson to go on with; null when all is done. */
  get next(): LessonReply | null {
    const slug = this._outline?.continue_with;
    return slug ? this.lesson(slug) : null;
  }

  /** Fetches everything anew. Never rejects: what went wrong is in `error`, `phase` and `online`. */
  async refresh(): Promise<void> {
    try {
      this._classrooms = (await this._api.me()).classrooms;
      const wanted = this.classroom?.slug ?? this._memory.classroom;
      const chosen = this._classrooms.find(classroom => classroom.slug === wanted) ?? this._classrooms[0];
      if (chosen) {
        await this._show(chosen.slug);
      } else {
        this._phase = 'no-classroom';
      }
      this._error = null;
      this._online = true;
    } catch (error) {
      this._stumble(error);
    }
    await this._outbox.look();
    this._emit();
  }

  async switchTo(slug: string): Promise<void> {
    this._outline = null;
    this._phase = 'loading';
    this._memory.classroom = slug;
    this.works.clear();
    this._emit();
    await this.refresh();
  }

  /** Redeems a join code and shows its classroom; raises PmhError. */
  async join(code: string): Promise<void> {
    await this.switchTo((await this._api.join(code)).slug);
  }

  /** Brings a lesson's files into the server; raises PmhError. `unsaved` are server paths of notebooks with unsaved changes. */
  async open(slug: string, unsaved: readonly string[]): Promise<OpenReply> {
    return this._api.open(this._slug(), slug, unsaved);
  }

  /** The last verdicts of a lesson, as they stand at the hub. A hub that is away leaves those that are known. */
  async loadWorks(lesson: string): Promise<void> {
    if (!this.classroom) {
      return;
    }
    try {
      this.works.load((await this._api.works(this._slug(), lesson)).work);
      this._results.watch();
    } catch (error) {
      if (!(error instanceof PmhError)) {
        throw error;
      }
    }
  }

  /** Checks one exercise as it lies on the server's disk. Never rejects: what went wrong is in the exercise's work. */
  async check(lesson: string, gradeId: string): Promise<void> {
    const id = crypto.randomUUID();
    this.works.begin(id, 'check', lesson, [gradeId]);
    try {
      await this._sent(await this._api.check(this._slug(), lesson, id, [gradeId]));
    } catch (error) {
      this._lost(id, error);
    }
  }

  /** Hands in a lesson as it lies on the server's disk; raises PmhError. */
  async submit(lesson: LessonReply): Promise<LabWorkReply> {
    const id = crypto.randomUUID();
    const exercises = lesson.exercises.map(exercise => exercise.grade_id);
    this.works.begin(id, 'submission', lesson.slug, exercises);
    try {
      const reply = await this._api.submit(this._slug(), lesson.slug, id);
      await this._sent(reply);
      return reply;
    } catch (error) {
      this._lost(id, error);
      throw error;
    }
  }

  /** Tries at once to send what waits. */
  async sendWaiting(): Promise<void> {
    await this._outbox.send();
    await this.refresh();
    this._results.watch();
  }

  /** Drops work that the hub refused for good; raises PmhError. */
  async forget(id: string): Promise<void> {
    await this._outbox.forget(id);
    this._emit();
  }

  private async _sent(reply: LabWorkReply): Promise<void> {
    this.works.accept(reply);
    this._results.watch();
    if (reply.state === 'waiting') {
      this._online = false;
      await this._outbox.look();
      this._emit();
    }
  }

  /** Work could not be sent. When that is because nobody answers, it is the first sign of it: a stream may stay open and silent. */
  private _lost(id: string, reason: unknown): void {
    const error = asPmhError(reason);
    this.works.fail(id, error);
    this._suspect(!error.offline);
  }

  private async _show(slug: string): Promise<void> {
    const outline = await this._api.outline(slug);
    this._outline = outline;
    this._phase = 'ready';
    this._memory.outline = outline;
    this._memory.classroom = slug;
    this._feed.follow(outline);
  }

  private _hear(event: EventReply): void {
    const { data } = event;
    if (event.kind === 'submission-graded' && typeof data.work === 'string') {
      void this._results.fetch(data.work);
    } else if (event.kind === 'award-earned') {
      this._awarded.emit({ title: text(data.title), description: text(data.description), icon: text(data.icon) });
    }
    this._refreshSoon();
  }

  /** Whether events come is the first sign that the hub has gone away, or is back. */
  private _suspect(connected: boolean): void {
    if (connected !== this._online) {
      this._refreshSoon();
    }
  }

  private _refreshSoon(): void {
    clearTimeout(this._settle);
    this._settle = setTimeout(() => void this.refresh(), SETTLE);
  }

  private _stumble(reason: unknown): void {
    const error = asPmhError(reason);
    this._online = !error.offline;
    if (error.offline) {
      this._outline = this._outline ?? this._memory.outline;
    }
    // A map that is known stays on the page; the error stands above it.
    this._phase = this._outline ? 'ready' : 'failed';
    this._error = error;
  }

  private _emit(): void {
    if (this._disposed) {
      return;
    }
    clearTimeout(this._retry);
    if (!this._online || this.outbox.waiting.length > 0) {
      this._retry = setTimeout(() => void this.refresh(), RETRY);
    }
    this._changed.emit();
  }

  private _slug(): string {
    return this.classroom?.slug ?? '';
  }

  private readonly _feed: Feed;
  private readonly _outbox: Outbox;
  private readonly _results: Results;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _awarded = new Signal<this, Award>(this);
  private _phase: Phase = 'loading';
  private _error: PmhError | null = null;
  private _classrooms: readonly ClassroomReply[] = [];
  private _outline: OutlineReply | null = null;
  private _online = true;
  private _settle: ReturnType<typeof setTimeout> | undefined;
  private _retry: ReturnType<typeof setTimeout> | undefined;
  private _disposed = false;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
