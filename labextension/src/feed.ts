/**
 * The events of the classroom that is shown, whichever that is.
 */
import type { IDisposable } from '@lumino/disposable';

import type { Api } from './api';
import { SharedStream } from './shared';
import type { EventReply, OutlineReply } from './wire';

export interface FeedOptions {
  readonly api: Api;
  readonly onEvent: (event: EventReply) => void;
  /** Events went by unheard: what is shown may be old. */
  readonly onLag: () => void;
  /** Events come no more, or come again. */
  readonly onTurn: (connected: boolean) => void;
}

export class Feed implements IDisposable {
  constructor(private readonly _options: FeedOptions) {}

  /** Whether events arrive; otherwise what happened must be asked for. */
  get connected(): boolean {
    return this._stream?.connected ?? false;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    this._disposed = true;
    this._stream?.dispose();
  }

  /** Listens to this classroom, from where its map was drawn; goes on listening when it does so already. */
  follow(outline: OutlineReply): void {
    const { api, onEvent, onLag, onTurn } = this._options;
    const { slug } = outline.classroom;
    if (this._disposed || slug === this._classroom) {
      return;
    }
    this._classroom = slug;
    this._stream?.dispose();
    this._stream = new SharedStream({
      name: `pmh-events:${api.baseUrl}:${slug}`,
      after: outline.last_event,
      open: (after, signal) => api.events(slug, after, signal)
    });
    this._stream.event.connect((_, event) => onEvent(event));
    this._stream.lagged.connect(onLag);
    this._stream.turned.connect((_, connected) => onTurn(connected));
  }

  private _classroom: string | null = null;
  private _stream: SharedStream | null = null;
  private _disposed = false;
}
