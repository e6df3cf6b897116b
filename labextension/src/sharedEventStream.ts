/**
 * One event stream for all tabs of a browser. A browser opens at most six HTTP/1.1 connections to an origin, so tabs with a stream each
 * would block one another. The tab that holds a Web Lock reads the stream and passes events on over a BroadcastChannel. When that tab
 * closes, the next one gets the lock and continues after the last event that it received.
 *
 * Without Web Locks (a page over plain HTTP) no tab reads: `isConnected` stays false and results are polled.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import { readEvents, type EventStreamOptions } from './eventStream';
import type { EventReply } from './wire';

type ChannelMessage =
  | { readonly type: 'event'; readonly event: EventReply }
  | { readonly type: 'state'; readonly isConnected: boolean; readonly lastEventNumber: number }
  | { readonly type: 'state-request' };

export interface SharedEventStreamOptions {
  /** Name of the lock and the channel: the same in every tab that shares the stream, and in no other. */
  readonly name: string;
  /** Number of the last known event. */
  readonly after: number;
  readonly open: EventStreamOptions['open'];
  readonly pause?: EventStreamOptions['pause'];
}

export class SharedEventStream implements IDisposable {
  constructor(private readonly _options: SharedEventStreamOptions) {
    this._lastEventNumber = _options.after;
    this._channel = new BroadcastChannel(_options.name);
    this._channel.onmessage = message => this._handleMessage(message.data as ChannelMessage);
    this._post({ type: 'state-request' });
    void this._readWhenLocked();
  }

  /** Every event after the last known one, once and in order. */
  get eventReceived(): ISignal<this, EventReply> {
    return this._eventReceived;
  }

  /** Events were sent before this tab was listening, so its content may be out of date. */
  get eventsMissed(): ISignal<this, void> {
    return this._eventsMissed;
  }

  /** The connection was lost or restored. */
  get connectionChanged(): ISignal<this, boolean> {
    return this._connectionChanged;
  }

  /** Whether some tab of this browser has an open stream. */
  get isConnected(): boolean {
    return this._isConnected;
  }

  get isDisposed(): boolean {
    return this._abort.signal.aborted;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    if (this._isReader) {
      this._post({ type: 'state', isConnected: false, lastEventNumber: this._lastEventNumber });
    }
    this._abort.abort();
    this._channel.close();
    Signal.clearData(this);
  }

  private async _readWhenLocked(): Promise<void> {
    if (!navigator.locks) {
      return;
    }
    const { name, open, pause } = this._options;
    try {
      await navigator.locks.request(name, { signal: this._abort.signal }, async () => {
        this._isReader = true;
        const onEvent = (event: EventReply) => {
          this._post({ type: 'event', event });
          this._receive(event);
        };
        const onState = (isConnected: boolean) => this._publishState(isConnected);
        const options = { open, after: this._lastEventNumber, onEvent, onState, ...(pause && { pause }) };
        await readEvents(options, this._abort.signal);
      });
    } catch (reason) {
      // A tab that closes before it gets the lock ends its request with an error.
      if (!this.isDisposed) {
        throw reason;
      }
    }
  }

  private _handleMessage(message: ChannelMessage): void {
    if (message.type === 'event') {
      this._receive(message.event);
    } else if (message.type === 'state') {
      this._setConnected(message.isConnected);
      if (message.lastEventNumber > this._lastEventNumber) {
        this._lastEventNumber = message.lastEventNumber;
        this._eventsMissed.emit();
      }
    } else if (this._isReader) {
      this._publishState(this._isConnected);
    }
  }

  private _publishState(isConnected: boolean): void {
    this._setConnected(isConnected);
    this._post({ type: 'state', isConnected, lastEventNumber: this._lastEventNumber });
  }

  private _setConnected(isConnected: boolean): void {
    if (isConnected !== this._isConnected) {
      this._isConnected = isConnected;
      this._connectionChanged.emit(isConnected);
    }
  }

  private _receive(event: EventReply): void {
    if (event.number > this._lastEventNumber) {
      this._lastEventNumber = event.number;
      this._eventReceived.emit(event);
    }
  }

  private _post(message: ChannelMessage): void {
    if (!this.isDisposed) {
      this._channel.postMessage(message);
    }
  }

  private readonly _channel: BroadcastChannel;
  private readonly _abort = new AbortController();
  private readonly _eventReceived = new Signal<this, EventReply>(this);
  private readonly _eventsMissed = new Signal<this, void>(this);
  private readonly _connectionChanged = new Signal<this, boolean>(this);
  private _isConnected = false;
  private _isReader = false;
  private _lastEventNumber: number;
}
