/** @jest-environment node */
import type { ServerResponse } from 'node:http';

import { Api } from '../src/api';
import { readEvents } from '../src/eventStream';
import { FakeExtension } from './fakeExtension';
import { event } from './samples';

let extension: FakeExtension;
beforeEach(async () => {
  extension = await FakeExtension.start();
});
afterEach(() => extension.stop());

const ROUTE = 'GET classrooms/spring/events';

function sendEvents(response: ServerResponse, ...numbers: number[]): void {
  numbers.forEach(number => response.write(`id: ${number}\ndata: ${JSON.stringify(event(number))}\n\n`));
}

interface ReadLog {
  readonly numbers: number[];
  readonly pauses: number[];
  readonly states: boolean[];
}

/** Reads until the log meets the condition. */
async function readUntil(isDone: (log: ReadLog) => boolean): Promise<ReadLog> {
  const log: ReadLog = { numbers: [], pauses: [], states: [] };
  const abort = new AbortController();
  const check = () => isDone(log) && abort.abort();
  const api = new Api(extension.connection);
  await readEvents(
    {
      after: 7,
      open: (after, signal) => api.openEventStream('spring', after, signal),
      onEvent: ({ number }) => {
        log.numbers.push(number);
        check();
      },
      onState: connected => log.states.push(connected),
      pause: async milliseconds => {
        log.pauses.push(milliseconds);
        check();
      }
    },
    abort.signal
  );
  return log;
}

test('a broken stream continues after the last event, without gaps or duplicates', async () => {
  const after: unknown[] = [];
  extension.on(ROUTE, (request, _body, response) => {
    after.push(request.headers['last-event-id']);
    if (after.length === 1) {
      sendEvents(response, 8, 9);
      response.end();
    } else {
      sendEvents(response, 9, 10);
    }
    return undefined;
  });
  const { numbers, states } = await readUntil(({ numbers }) => numbers.length === 3);
  expect(numbers).toEqual([8, 9, 10]);
  expect(after).toEqual(['7', '9']);
  expect(states).toEqual([true, false, true, false]);
});

test('pauses double up to 30 seconds while the stream cannot be opened', async () => {
  extension.fail(ROUTE, 503, 'unavailable');
  const { pauses, states } = await readUntil(({ pauses }) => pauses.length === 9);
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  expect(states).not.toContain(true);
});

test('an event resets the pause', async () => {
  let count = 0;
  extension.on(ROUTE, (_request, _body, response) => {
    count += 1;
    if (count < 3) {
      response.statusCode = 503;
    } else {
      sendEvents(response, 8);
    }
    return '';
  });
  const { pauses } = await readUntil(({ pauses }) => pauses.length === 3);
  expect(pauses).toEqual([500, 1000, 500]);
});
