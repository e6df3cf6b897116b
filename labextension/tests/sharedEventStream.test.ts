/** @jest-environment node */
import { SharedStream } from '../src/shared';
import { event } from './samples';

/** Web Locks as far as we use them: one holder a name, the others wait in order. */
class Locks {
  request(_name: string, options: { signal: AbortSignal }, hold: () => Promise<void>): Promise<void> {
    const turn = this._last.then(() => (options.signal.aborted ? undefined : hold()));
    this._last = turn;
    return turn;
  }

  private _last: Promise<void> = Promise.resolve();
}

beforeEach(() => Object.defineProperty(navigator, 'locks', { value: new Locks(), configurable: true }));

/** A hub that remembers which streams are open, and sends what a test says. */
class Hub {
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

  hangUp(): void {
    this._controller?.close();
  }

  say(number: number): void {
    this._controller?.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(event(number))}\n\n`));
  }

  private _controller: ReadableStreamDefaultController<Uint8Array> | null = null;
}

function tab(hub: Hub, after = 7): { stream: SharedStream; numbers: number[]; lagged: number } {
  const stream = new SharedStream({ name: 'test', after, open: hub.open, pause: async () => undefined });
  const seen = { stream, numbers: [] as number[], lagged: 0 };
  stream.event.connect((_, { number }) => seen.numbers.push(number));
  stream.lagged.connect(() => (seen.lagged += 1));
  return seen;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise(resolve => setImmediate(resolve));
  }
}

test('several tabs hold one stream, and each hears everything', async () => {
  const hub = new Hub();
  const tabs = Array.from({ length: 8 }, () => tab(hub));
  await until(() => tabs.every(({ stream }) => stream.connected));
  hub.say(8);
  hub.say(9);
  await until(() => tabs.every(({ numbers }) => numbers.length === 2));
  expect(hub.opened).toEqual([7]);
  expect(tabs.map(({ numbers }) => numbers)).toEqual(tabs.map(() => [8, 9]));
  tabs.forEach(({ stream }) => stream.dispose());
});

test('when the reading tab closes, the next reads on from the last event', async () => {
  const hub = new Hub();
  const [first, second] = [tab(hub), tab(hub)];
  await until(() => second.stream.connected);
  hub.say(8);
  await until(() => second.numbers.length === 1);
  first.stream.dispose();
  await until(() => hub.opened.length === 2);
  expect(hub.opened).toEqual([7, 8]);
  second.stream.dispose();
});

test('a tab that comes later than an event is told that it lags', async () => {
  const hub = new Hub();
  const first = tab(hub);
  await until(() => first.stream.connected);
  hub.say(8);
  await until(() => first.numbers.length === 1);
  const late = tab(hub, 7);
  await until(() => late.lagged === 1);
  expect(late.stream.connected).toBe(true);
  [first, late].forEach(({ stream }) => stream.dispose());
});

test('without Web Locks nobody reads', async () => {
  Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
  const hub = new Hub();
  const alone = tab(hub);
  await new Promise(resolve => setImmediate(resolve));
  expect(hub.opened).toEqual([]);
  expect(alone.stream.connected).toBe(false);
  alone.stream.dispose();
});

test('a stream that is lost, and one that is there again, is told in every tab', async () => {
  const hub = new Hub();
  const tabs = [tab(hub), tab(hub)];
  const told = tabs.map(({ stream }) => {
    const turns: boolean[] = [];
    stream.turned.connect((_, connected) => turns.push(connected));
    return turns;
  });
  await until(() => tabs.every(({ stream }) => stream.connected));
  hub.hangUp();
  await until(() => told.every(turns => turns.length === 3));
  expect(told).toEqual([
    [true, false, true],
    [true, false, true]
  ]);
  tabs.forEach(({ stream }) => stream.dispose());
});
