/**
 * Fetches the results of pending submissions. Usually an event says when a result is there; polling finds it as well, only later, where
 * there is no event stream or an event is lost.
 */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import type { Api } from './api';
import { asPmhError } from './request';
import type { SubmissionStore } from './submissions';

/** Milliseconds between two polls: the first interval and the longest. Each interval is half as long again as the one before. */
const INTERVALS = { withoutStream: [700, 8_000], withStream: [5_000, 15_000] } as const;
const INTERVAL_GROWTH = 1.5;

export class ResultPoller implements IDisposable {
  constructor(
    private readonly _api: Api,
    private readonly _submissions: SubmissionStore,
    private readonly _events: { readonly isConnected: boolean },
    /** The hub, or the way to it, is unavailable. */
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

  /** Polls until no submission is pending, at short intervals again. Call it when something was sent. */
  start(): void {
    this._intervalMs = 0;
    this._scheduleNext();
  }

  /** Fetches one submission now. */
  async fetch(id: string): Promise<void> {
    try {
      this._submissions.apply(await this._api.submission(id));
    } catch (error) {
      // The hub does not know a submission that waits in the outbox, and may be away. Both are asked for again later.
      if (asPmhError(error).isOffline) {
        this._onUnavailable();
      }
    }
  }

  private async _fetchPending(): Promise<void> {
    for (const id of this._submissions.pendingIds) {
      await this.fetch(id);
    }
    this._scheduleNext();
  }

  private _scheduleNext(): void {
    if (this._submissions.pendingIds.length === 0) {
      void this._poll.stop();
      return;
    }
    const [first, longest] = this._events.isConnected ? INTERVALS.withStream : INTERVALS.withoutStream;
    this._intervalMs = Math.min(Math.max(this._intervalMs * INTERVAL_GROWTH, first), longest);
    void this._poll.schedule({ phase: 'started', interval: this._intervalMs });
  }

  private readonly _poll: Poll;
  private _intervalMs = 0;
}
