/** @jest-environment node */
import { SharedEventStream } from '../src/sharedEventStream';
import { event } from './samples';

/** Web Locks for a single name: one holder, and the others wait in order. */
class FakeLocks {
  request(_name: string, options: { signal: AbortSignal }, hold: () => Promise<void>): Promise<void> {
    const turn = this._last.then(() => (options.signal.aborted ? undefined : hold()));
    this._last = turn;
    return turn;
  }

  private _last: Promise<void> = Promise.resolve();
}

beforeEach(() => Object.defineProperty(navigator, 'locks', { value: new FakeLocks(), configurable: true }));

/** A hub that records which streams were opened and sends events on demand. */
class FakeHub {
  readonly opened: number[] = [];

  open = async (after: number, signal: AbortSignal): Promise<Response> => {
    this.opened.push(after);
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        this._controller = controller;
        signal.addEventListener('abort', () => controller.error(new Error('closed')));
      }
    });
    return new Response(body);
  };

  closeStream(): void {
    this._controller?.close();
  }

  send(number: number): void {
    this._controller?.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(event(number))}\n\n`));
  }

  private _controller: ReadableStreamDefaultController<Uint8Array> | null = null;
}

function tab(hub: FakeHub, after = 7): { stream: SharedEventStream; numbers: number[]; missed: number } {
  const stream = new SharedEventStream({ name: 'test', after, open: hub.open, pause: async () => undefined });
  const observed = { stream, numbers: [] as number[], missed: 0 };
  stream.eventReceived.connect((_, { number }) => observed.numbers.push(number));
  stream.eventsMissed.connect(() => (observed.missed += 1));
  return observed;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise(resolve => setImmediate(resolve));
  }
}

test('several tabs share one stream and each receives every event', async () => {
  const hub = new FakeHub();
  const tabs = Array.from({ length: 8 }, () => tab(hub));
  await until(() => tabs.every(({ stream }) => stream.isConnected));
  hub.send(8);
  hub.send(9);
  await until(() => tabs.every(({ numbers }) => numbers.length === 2));
  expect(hub.opened).toEqual([7]);
  expect(tabs.map(({ numbers }) => numbers)).toEqual(tabs.map(() => [8, 9]));
  tabs.forEach(({ stream }) => stream.dispose());
});

test('when the reading tab closes, the next one continues after the last event', async () => {
  const hub = new FakeHub();
  const [first, second] = [tab(hub), tab(hub)];
  await until(() => second.stream.isConnected);
  hub.send(8);
  await until(() => second.numbers.length === 1);
  first.stream.dispose();
  await until(() => hub.opened.length === 2);
  expect(hub.opened).toEqual([7, 8]);
  second.stream.dispose();
});

test('a tab that opens after an event is notified of missed events', async () => {
  const hub = new FakeHub();
  const first = tab(hub);
  await until(() => first.stream.isConnected);
  hub.send(8);
  await until(() => first.numbers.length === 1);
  const late = tab(hub, 7);
  await until(() => late.missed === 1);
  expect(late.stream.isConnected).toBe(true);
  [first, late].forEach(({ stream }) => stream.dispose());
});

test('without Web Locks no tab opens a stream', async () => {
  Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
  const hub = new FakeHub();
  const alone = tab(hub);
  await new Promise(resolve => setImmediate(resolve));
  expect(hub.opened).toEqual([]);
  expect(alone.stream.isConnected).toBe(false);
  alone.stream.dispose();
});

test('every tab is notified when the stream is lost and when it is restored', async () => {
  const hub = new FakeHub();
  const tabs = [tab(hub), tab(hub)];
  const changes = tabs.map(({ stream }) => {
    const states: boolean[] = [];
    stream.connectionChanged.connect((_, connected) => states.push(connected));
    return states;
  });
  await until(() => tabs.every(({ stream }) => stream.isConnected));
  hub.closeStream();
  await until(() => changes.every(states => states.length === 3));
  expect(changes).toEqual([
    [true, false, true],
    [true, false, true]
  ]);
  tabs.forEach(({ stream }) => stream.dispose());
});
