/**
 * The events of the classroom that is shown.
 */
import type { IDisposable } from '@lumino/disposable';

import type { Api } from './api';
import { SharedEventStream } from './sharedEventStream';
import type { EventReply, OutlineReply } from './wire';

export interface ClassroomEventsOptions {
  readonly api: Api;
  readonly onEvent: (event: EventReply) => void;
  /** Events were missed, so the page may be out of date. */
  readonly onMissedEvents: () => void;
  readonly onConnectionChange: (isConnected: boolean) => void;
}

/** An achievement that was just earned. */
export interface Award {
  readonly title: string;
  readonly description: string;
  readonly icon: string;
}

export class ClassroomEvents implements IDisposable {
  constructor(private readonly _options: ClassroomEventsOptions) {}

  /** Whether events arrive; when they do not, results must be polled. */
  get isConnected(): boolean {
    return this._stream?.isConnected ?? false;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._stream?.dispose();
  }

  /** Subscribes to the outline's classroom, after the last event that the outline includes. Keeps a subscription to the same classroom. */
  subscribe(outline: OutlineReply): void {
    const { api, onEvent, onMissedEvents, onConnectionChange } = this._options;
    const { slug } = outline.classroom;
    if (this._isDisposed || slug === this._classroom) {
      return;
    }
    this._classroom = slug;
    this._stream?.dispose();
    this._stream = new SharedEventStream({
      name: `pmh-events:${api.baseUrl}:${slug}`,
      after: outline.last_event_number,
      open: (after, signal) => api.openEventStream(slug, after, signal)
    });
    this._stream.eventReceived.connect((_, event) => onEvent(event));
    this._stream.eventsMissed.connect(onMissedEvents);
    this._stream.connectionChanged.connect((_, isConnected) => onConnectionChange(isConnected));
  }

  private _classroom: string | null = null;
  private _stream: SharedEventStream | null = null;
  private _isDisposed = false;
}

/** Returns the achievement that an event announces. */
export function readAward({ data }: EventReply): Award {
  return { title: asText(data.title), description: asText(data.description), icon: asText(data.icon) };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
