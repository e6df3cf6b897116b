/**
 * Fetches what became of pending work. The event stream says when to look; where it cannot be had, or says nothing, looking now and
 * then brings the verdict all the same, only later.
 */
import type { IDisposable } from '@lumino/disposable';

import type { Api } from './api';
import { asPmhError } from './request';
import type { Works } from './works';

/** Pauses between two looks, in milliseconds: first and longest, without a stream and with one. */
const PAUSES = { alone: [700, 8_000], streaming: [5_000, 15_000] } as const;

export class Results implements IDisposable {
  constructor(
    private readonly _api: Api,
    private readonly _works: Works,
    private readonly _feed: { readonly connected: boolean },
    /** The hub, or the way to it, is away. */
    private readonly _onAway: () => void
  ) {}

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    clearTimeout(this._timer);
  }

  /** Looks again and again, until nothing is pending. Call it when work was sent. */
  watch(): void {
    this._pause = 0;
    this._plan();
  }

  /** Looks at one piece of work now. */
  async fetch(id: string): Promise<void> {
    try {
      this._works.apply(await this._api.work(id));
    } catch (error) {
      // Work in the outbox is not known to the hub yet, and a hub that is away knows nothing: both are looked at again.
      if (asPmhError(error).offline) {
        this._onAway();
      }
    }
  }

  private _plan(): void {
    clearTimeout(this._timer);
    if (this._disposed || this._works.pending.length === 0) {
      return;
    }
    const [first, longest] = this._feed.connected ? PAUSES.streaming : PAUSES.alone;
    this._pause = Math.min(Math.max(this._pause * 1.5, first), longest);
    this._timer = setTimeout(() => void this._look(), this._pause);
  }

  private async _look(): Promise<void> {
    for (const id of this._works.pending) {
      await this.fetch(id);
    }
    this._plan();
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _pause = 0;
  private _disposed = false;
}
