/**
 * The classroom's event stream over one connection: read by fetch (an EventSource cannot send the XSRF header that the server
 * wants), taken up again after the last event seen, with growing pauses while it cannot be had.
 */
import { SseParser } from './sse';
import type { EventReply } from './wire';

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/**
 * A connection that says nothing for so long, not even one of the comments that come every 15 seconds, is taken for dead: a proxy
 * may hold it open although nobody is behind it any more. Milliseconds.
 */
const SILENCE = 40_000;

export interface StreamOptions {
  /** Opens the stream after the event with this number. */
  readonly open: (after: number, signal: AbortSignal) => Promise<Response>;
  /** The number of the last event that is known already. */
  readonly after: number;
  readonly onEvent: (event: EventReply) => void;
  readonly onState: (connected: boolean) => void;
  /** Waits; a test puts its own clock here. Milliseconds. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Reads until `signal` is aborted; never rejects. */
export async function readEvents(options: StreamOptions, signal: AbortSignal): Promise<void> {
  const pause = options.pause ?? wait;
  let last = options.after;
  let delay = FIRST_PAUSE;
  while (!signal.aborted) {
    try {
      await readOnce(options, last, signal, event => {
        delay = FIRST_PAUSE;
        if (event.number > last) {
          last = event.number;
          options.onEvent(event);
        }
      });
    } catch {
      // Why it broke is of no use here: the way to mend it is always to open it again.
    }
    options.onState(false);
    if (!signal.aborted) {
      await pause(delay, signal);
      delay = Math.min(delay * 2, LONGEST_PAUSE);
    }
  }
}

async function readOnce(
  options: StreamOptions,
  after: number,
  signal: AbortSignal,
  onEvent: (event: EventReply) => void
): Promise<void> {
  const connection = new AbortController();
  const stop = () => connection.abort();
  signal.addEventListener('abort', stop);
  let watchdog = setTimeout(stop, SILENCE);
  try {
    const response = await options.open(after, connection.signal);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    options.onState(true);
    const parser = new SseParser();
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      clearTimeout(watchdog);
      watchdog = setTimeout(stop, SILENCE);
      parser.push(read.value).forEach(event => onEvent(JSON.parse(event.data) as EventReply));
    }
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** Waits with jitter, so that a class of browsers does not come back in the same instant; ends early when aborted. */
function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds * (0.5 + Math.random() / 2));
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
