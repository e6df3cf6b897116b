/**
 * Schedules automatic refreshes of the model: shortly after an event, and periodically while submissions wait for the hub.
 */
import type { IDisposable } from '@lumino/disposable';
import { Debouncer, Poll } from '@lumino/polling';

/** Pause between an event and the refresh that it causes, because events come in bursts. */
const REFRESH_DELAY_MS = 200;
/** Interval of refreshes while the hub is unavailable or the outbox is not empty. */
const RETRY_INTERVAL_MS = 15_000;

export class RefreshScheduler implements IDisposable {
  constructor(refresh: () => Promise<void>) {
    this._debouncer = new Debouncer(refresh, REFRESH_DELAY_MS);
    this._retryPoll = new Poll({
      name: 'pmh:retry',
      auto: false,
      standby: 'never',
      frequency: { interval: RETRY_INTERVAL_MS, backoff: false, max: RETRY_INTERVAL_MS },
      factory: refresh
    });
  }

  get isDisposed(): boolean {
    return this._retryPoll.isDisposed;
  }

  dispose(): void {
    this._debouncer.dispose();
    // A poll that is only disposed keeps its timer.
    void this._retryPoll.stop();
    this._retryPoll.dispose();
  }

  /** Refreshes after a short delay, once for all calls within it. */
  refreshSoon(): void {
    if (!this.isDisposed) {
      // Rejects when this is disposed in between.
      void this._debouncer.invoke().catch(() => undefined);
    }
  }

  /** Starts a new interval until the next retry, or stops retrying. */
  setRetrying(isRetrying: boolean): void {
    if (isRetrying) {
      void this._retryPoll.schedule({ phase: 'started', interval: RETRY_INTERVAL_MS });
    } else {
      void this._retryPoll.stop();
    }
  }

  private readonly _debouncer: Debouncer<void>;
  private readonly _retryPoll: Poll;
}
