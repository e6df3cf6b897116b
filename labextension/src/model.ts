/**
 * The classroom that this tab shows: its outline, the person's submissions, and whether the hub can be reached. Everything on the page
 * reads its state from this model and requests changes from it. The model contains no widgets or elements.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import type { Api } from './api';
import { ClassroomEvents, readAward, type Award } from './classroomEvents';
import { findLesson } from './exercises';
import type { LocalCache } from './localCache';
import { Outbox } from './outbox';
import { RefreshScheduler } from './refreshScheduler';
import { asPmhError, type PmhError } from './request';
import { ResultPoller } from './resultPoller';
import { SubmissionStore } from './submissions';
import type { ClassroomReply, EventReply, LabSubmissionReply, LessonReply } from './wire';
import type { OpenLessonReply, OutboxReply, OutlineReply } from './wire';

export type Phase = 'loading' | 'ready' | 'no-classroom' | 'failed';

export class ClassroomModel implements IDisposable {
  constructor(
    private readonly _api: Api,
    private readonly _cache: LocalCache
  ) {
    this.submissions = new SubmissionStore();
    this._outbox = new Outbox(_api, this.submissions);
    this._events = new ClassroomEvents({
      api: _api,
      onEvent: event => this._handleEvent(event),
      onMissedEvents: () => {
        this._eventsMissed.emit();
        this._refreshes.refreshSoon();
      },
      onConnectionChange: isConnected => this._refreshIfConnectionChanged(isConnected)
    });
    this._results = new ResultPoller(_api, this.submissions, this._events, () => this._refreshIfConnectionChanged(false));
    this._refreshes = new RefreshScheduler(() => this.refresh());
  }

  readonly submissions: SubmissionStore;

  /** Anything but the submissions has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Events were sent before this tab was listening, so the submissions may be out of date. */
  get eventsMissed(): ISignal<this, void> {
    return this._eventsMissed;
  }

  get awardEarned(): ISignal<this, Award> {
    return this._awardEarned;
  }

  get phase(): Phase {
    return this._phase;
  }

  /** The error of the last refresh; null if it succeeded. */
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

  /** False while the hub cannot be reached; the outline is then the last one known. */
  get isOnline(): boolean {
    return this._isOnline;
  }

  /** Submissions that could not be sent yet, and those that the hub rejected. */
  get outbox(): OutboxReply {
    return this._outbox.entries;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._refreshes.dispose();
    this._events.dispose();
    this._results.dispose();
    Signal.clearData(this);
  }

  findLesson(slug: string): LessonReply | null {
    return findLesson(this._outline, slug);
  }

  /** The lesson to continue with; null when all are done. */
  get nextLesson(): LessonReply | null {
    const slug = this._outline?.next_lesson;
    return slug ? this.findLesson(slug) : null;
  }

  /** Fetches everything again. Never rejects: `error`, `phase` and `isOnline` describe a failure. */
  async refresh(): Promise<void> {
    try {
      this._classrooms = (await this._api.fetchMe()).classrooms;
      const preferredSlug = this._selectedSlug ?? this._cache.classroom;
      const classroom = this._classrooms.find(({ slug }) => slug === preferredSlug) ?? this._classrooms[0];
      if (classroom) {
        await this._loadOutline(classroom.slug);
      } else {
        this._phase = 'no-classroom';
      }
      this._error = null;
      this._isOnline = true;
    } catch (error) {
      this._handleRefreshError(error);
    }
    await this._outbox.refresh();
    this._emitChanged();
  }

  /** Shows another of the person's classrooms. */
  async selectClassroom(slug: string): Promise<void> {
    this._outline = null;
    this._selectedSlug = slug;
    this._phase = 'loading';
    this._cache.classroom = slug;
    this.submissions.clear();
    this._emitChanged();
    await this.refresh();
  }

  /** The slug of the classroom that is shown or being loaded; null before the first outline. */
  get selectedSlug(): string | null {
    return this._selectedSlug;
  }

  /** Redeems a join code and shows its classroom; raises PmhError. */
  async join(code: string): Promise<void> {
    await this.selectClassroom((await this._api.join(code)).slug);
  }

  /** Writes a lesson's files to the server; raises PmhError. `unsavedNotebooks`: server paths of notebooks with unsaved changes. */
  async openLesson(slug: string, unsavedNotebooks: readonly string[]): Promise<OpenLessonReply> {
    return this._api.openLesson(this._slug, slug, unsavedNotebooks);
  }

  /** Fetches the last verdicts of a lesson, and returns whether that succeeded. Keeps the known ones if the hub is unavailable. */
  async loadSubmissions(lesson: string): Promise<boolean> {
    if (!this.classroom) {
      return false;
    }
    try {
      this.submissions.load((await this._api.fetchSubmissions(this._slug, lesson)).submissions);
      this._results.start();
      return true;
    } catch (error) {
      this._refreshIfConnectionChanged(!asPmhError(error).isOffline);
      return false;
    }
  }

  /** Sends one exercise, as saved on the server's disk, to be checked. Never rejects: the exercise's submission has the error. */
  async sendCheck(lesson: string, gradeId: string): Promise<void> {
    const id = crypto.randomUUID();
    this.submissions.begin(id, 'check', lesson, [gradeId]);
    try {
      await this._handleAccepted(await this._api.postCheck(this._slug, lesson, id, [gradeId]));
    } catch (error) {
      this._handleSendError(id, error);
    }
  }

  /** Sends a lesson, as saved on the server's disk, as a final submission; raises PmhError. */
  async sendFinal(lesson: LessonReply): Promise<LabSubmissionReply> {
    const id = crypto.randomUUID();
    const exercises = lesson.exercises.map(exercise => exercise.grade_id);
    this.submissions.begin(id, 'final', lesson.slug, exercises);
    try {
      const reply = await this._api.postSubmission(this._slug, lesson.slug, id);
      await this._handleAccepted(reply);
      return reply;
    } catch (error) {
      this._handleSendError(id, error);
      throw error;
    }
  }

  /** Tries to send the entries of the outbox immediately. */
  async sendOutbox(): Promise<void> {
    await this._outbox.send();
    await this.refresh();
    this._results.start();
  }

  /** Deletes a submission that the hub rejected for good; raises PmhError. */
  async deleteRejected(id: string): Promise<void> {
    await this._outbox.deleteRejected(id);
    this._emitChanged();
  }

  private async _handleAccepted(reply: LabSubmissionReply): Promise<void> {
    this.submissions.accept(reply);
    this._results.start();
    if (reply.state === 'waiting') {
      this._isOnline = false;
      await this._outbox.refresh();
      this._emitChanged();
    }
  }

  /** A failed request may be the first sign that the hub is unavailable: an event stream can stay open and silent. */
  private _handleSendError(id: string, reason: unknown): void {
    const error = asPmhError(reason);
    this.submissions.fail(id, error);
    this._refreshIfConnectionChanged(!error.isOffline);
  }

  private async _loadOutline(slug: string): Promise<void> {
    const outline = await this._api.fetchOutline(slug);
    this._outline = outline;
    this._selectedSlug = slug;
    this._phase = 'ready';
    this._cache.outline = outline;
    this._cache.classroom = slug;
    this._events.subscribe(outline);
  }

  private _handleEvent(event: EventReply): void {
    const { data } = event;
    if (event.kind === 'submission-graded' && typeof data.submission_id === 'string') {
      void this._results.fetch(data.submission_id);
    } else if (event.kind === 'award-earned') {
      this._awardEarned.emit(readAward(event));
    }
    // While submissions wait in the outbox, an event may say that one of them was sent.
    if (this.outbox.waiting.length > 0 || !this.submissions.isOwnCheck(event)) {
      this._refreshes.refreshSoon();
    }
  }

  /** Refreshes when the connection suggests that the hub became unavailable or available again. */
  private _refreshIfConnectionChanged(isConnected: boolean): void {
    if (isConnected !== this._isOnline) {
      this._refreshes.refreshSoon();
    }
  }

  private _handleRefreshError(reason: unknown): void {
    const error = asPmhError(reason);
    this._isOnline = !error.isOffline;
    if (error.isOffline) {
      this._outline = this._outline ?? this._cache.outline;
    }
    // An outline that is known stays on the page, with the error above it.
    this._phase = this._outline ? 'ready' : 'failed';
    this._error = error;
  }

  private _emitChanged(): void {
    if (this._isDisposed) {
      return;
    }
    this._refreshes.setRetrying(!this._isOnline || this.outbox.waiting.length > 0);
    this._changed.emit();
  }

  private get _slug(): string {
    return this.classroom?.slug ?? '';
  }

  private readonly _events: ClassroomEvents;
  private readonly _outbox: Outbox;
  private readonly _results: ResultPoller;
  private readonly _refreshes: RefreshScheduler;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _eventsMissed = new Signal<this, void>(this);
  private readonly _awardEarned = new Signal<this, Award>(this);
  private _phase: Phase = 'loading';
  private _error: PmhError | null = null;
  private _classrooms: readonly ClassroomReply[] = [];
  private _outline: OutlineReply | null = null;
  private _selectedSlug: string | null = null;
  private _isOnline = true;
  private _isDisposed = false;
}
