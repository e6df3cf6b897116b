/**
 * Fetches the results of pending submissions. Usually an event announces a result. Polling finds it later, if there
 * is no event stream or an event is lost.
 */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import type { Api } from './api';
import { asPmhError } from './request';
import type { SubmissionStore } from './submissions';

/** The first and the longest interval between two polls. Each interval is longer than the one before by INTERVAL_GROWTH. */
const INTERVALS_MS = { withoutStream: [700, 8_000], withStream: [5_000, 15_000] } as const;
const INTERVAL_GROWTH = 1.5;

export class ResultPoller implements IDisposable {
  constructor(
    private readonly _api: Api,
    private readonly _submissions: SubmissionStore,
    private readonly _events: { readonly isConnected: boolean },
    /** The hub cannot be reached. */
    private readonly _onUnavailable: () => void
  ) {
    this._poll = new Poll({
      name: 'pmh:results',
      auto: false,
      standby: 'never',
      factory: () => this._fetchPending()
    });
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    // A poll that is only disposed keeps its timer.
    void this._poll.stop();
    this._poll.dispose();
  }

  /** Polls until no submission is pending, starting with short intervals. Call it after sending a submission. */
  start(): void {
    this._intervalMs = 0;
    this._scheduleNext();
  }

  /** Fetches one submission now, or with the next polls if the hub is unavailable. */
  async fetch(id: string): Promise<void> {
    try {
      this._submissions.apply(await this._api.fetchSubmission(id));
      this._missedIds.delete(id);
    } catch (error) {
      // The hub does not know a submission that waits in the outbox: that is pending, and polled in any case.
      if (asPmhError(error).isOffline) {
        this._missedIds.add(id);
        this._onUnavailable();
        this._scheduleNext();
      } else {
        this._missedIds.delete(id);
      }
    }
  }

  private async _fetchPending(): Promise<void> {
    for (const id of this._listIds()) {
      await this.fetch(id);
    }
    this._scheduleNext();
  }

  private _listIds(): readonly string[] {
    return [...new Set([...this._submissions.pendingIds, ...this._missedIds])];
  }

  private _scheduleNext(): void {
    if (this.isDisposed) {
      return;
    }
    if (this._listIds().length === 0) {
      void this._poll.stop();
      return;
    }
    const [first, longest] = this._events.isConnected ? INTERVALS_MS.withStream : INTERVALS_MS.withoutStream;
    this._intervalMs = Math.min(Math.max(this._intervalMs * INTERVAL_GROWTH, first), longest);
    void this._poll.schedule({ phase: 'started', interval: this._intervalMs });
  }

  private readonly _poll: Poll;
  /** Submissions that could not be fetched: they may have been sent from another tab, whose verdict this one must show, too. */
  private readonly _missedIds = new Set<string>();
  private _intervalMs = 0;
}
