/**
 * One event stream for all tabs of a browser. A browser gives an origin six HTTP/1.1 connections, so tabs that each held one open
 * would starve each other: the tab that holds a Web Lock reads, and tells the others over a BroadcastChannel. When it closes, the
 * lock passes on and the next tab reads on from the last event that it saw.
 *
 * Where there are no Web Locks (a page over plain HTTP) no tab reads, `connected` stays false, and results come by polling.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import { readEvents, type StreamOptions } from './stream';
import type { EventReply } from './wire';

type Note =
  | { readonly type: 'event'; readonly event: EventReply }
  | { readonly type: 'state'; readonly connected: boolean; readonly last: number }
  | { readonly type: 'hello' };

export interface SharedStreamOptions {
  /** The same in every tab that shares the stream, and in no other. */
  readonly name: string;
  readonly after: number;
  readonly open: StreamOptions['open'];
  readonly pause?: StreamOptions['pause'];
}

export class SharedStream implements IDisposable {
  constructor(private readonly _options: SharedStreamOptions) {
    this._last = _options.after;
    this._channel = new BroadcastChannel(_options.name);
    this._channel.onmessage = message => this._hear(message.data as Note);
    this._tell({ type: 'hello' });
    void this._lead();
  }

  /** Every event after the first known one, once and in order. */
  get event(): ISignal<this, EventReply> {
    return this._event;
  }

  /** Events went by before this tab was listening: what it shows may be old. */
  get lagged(): ISignal<this, void> {
    return this._lagged;
  }

  /** The stream was lost, or is there again. */
  get turned(): ISignal<this, boolean> {
    return this._turned;
  }

  /** Whether some tab of this browser holds an open stream. */
  get connected(): boolean {
    return this._connected;
  }

  get isDisposed(): boolean {
    return this._end.signal.aborted;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    if (this._leading) {
      this._tell({ type: 'state', connected: false, last: this._last });
    }
    this._end.abort();
    this._channel.close();
    Signal.clearData(this);
  }

  private async _lead(): Promise<void> {
    if (!navigator.locks) {
      return;
    }
    const { name, open, pause } = this._options;
    try {
      await navigator.locks.request(name, { signal: this._end.signal }, async () => {
        this._leading = true;
        const onEvent = (event: EventReply) => {
          this._tell({ type: 'event', event });
          this._take(event);
        };
        const onState = (connected: boolean) => this._tellState(connected);
        await readEvents({ open, after: this._last, onEvent, onState, ...(pause && { pause }) }, this._end.signal);
      });
    } catch (reason) {
      // The wait for the lock ends so when this tab is closed first.
      if (!this.isDisposed) {
        throw reason;
      }
    }
  }

  private _hear(note: Note): void {
    if (note.type === 'event') {
      this._take(note.event);
    } else if (note.type === 'state') {
      this._turn(note.connected);
      if (note.last > this._last) {
        this._last = note.last;
        this._lagged.emit();
      }
    } else if (this._leading) {
      this._tellState(this._connected);
    }
  }

  private _tellState(connected: boolean): void {
    this._turn(connected);
    this._tell({ type: 'state', connected, last: this._last });
  }

  private _turn(connected: boolean): void {
    if (connected !== this._connected) {
      this._connected = connected;
      this._turned.emit(connected);
    }
  }

  private _take(event: EventReply): void {
    if (event.number > this._last) {
      this._last = event.number;
      this._event.emit(event);
    }
  }

  private _tell(note: Note): void {
    if (!this.isDisposed) {
      this._channel.postMessage(note);
    }
  }

  private readonly _channel: BroadcastChannel;
  private readonly _end = new AbortController();
  private readonly _event = new Signal<this, EventReply>(this);
  private readonly _lagged = new Signal<this, void>(this);
  private readonly _turned = new Signal<this, boolean>(this);
  private _connected = false;
  private _leading = false;
  private _last: number;
}
