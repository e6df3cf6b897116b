/**
 * Reads a classroom's event stream over one connection. It uses fetch, because an EventSource cannot send the XSRF header that the
 * server requires. A broken stream is opened again after the last event received, with growing pauses while it cannot be opened.
 */
import { SseParser } from './sseParser';
import type { EventReply } from './wire';

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/**
 * A connection that is silent for this long is closed. The server sends a comment every 15 seconds, so silence means that a proxy holds
 * a connection open to a server that is gone.
 */
const MAX_SILENCE_MS = 40_000;

export interface EventStreamOptions {
  /** Opens the stream after the event with this number. */
  readonly open: (after: number, signal: AbortSignal) => Promise<Response>;
  /** Number of the last known event. */
  readonly after: number;
  readonly onEvent: (event: EventReply) => void;
  readonly onState: (isConnected: boolean) => void;
  /** Waits for some milliseconds; tests replace it. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Reads until `signal` is aborted; never rejects.
 *
 * A `Poll` of @lumino/polling does not fit: it schedules short requests, and its back-off is random, while this is one long request.
 */
export async function readEvents(options: EventStreamOptions, signal: AbortSignal): Promise<void> {
  const pause = options.pause ?? pauseWithJitter;
  let lastEventNumber = options.after;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      await readConnection(options, lastEventNumber, signal, event => {
        pauseMs = FIRST_PAUSE_MS;
        if (event.number > lastEventNumber) {
          lastEventNumber = event.number;
          options.onEvent(event);
        }
      });
    } catch {
      // The stream is opened again after every error.
    }
    options.onState(false);
    if (!signal.aborted) {
      await pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  }
}

async function readConnection(
  options: EventStreamOptions,
  after: number,
  signal: AbortSignal,
  onEvent: (event: EventReply) => void
): Promise<void> {
  const connection = new AbortController();
  const close = () => connection.abort();
  signal.addEventListener('abort', close);
  let watchdog = setTimeout(close, MAX_SILENCE_MS);
  try {
    const response = await options.open(after, connection.signal);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    options.onState(true);
    const parser = new SseParser();
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      clearTimeout(watchdog);
      watchdog = setTimeout(close, MAX_SILENCE_MS);
      parser.push(read.value).forEach(event => onEvent(JSON.parse(event.data) as EventReply));
    }
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', close);
    close();
  }
}

/** Waits between half and all of the time, so that a class of browsers does not reconnect at once; ends early when aborted. */
function pauseWithJitter(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds * (0.5 + Math.random() / 2));
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
