/** @jest-environment node */
import type { ServerResponse } from 'node:http';

import { Api } from '../src/api';
import { readEvents } from '../src/stream';
import { Extension } from './extension';
import { event } from './samples';

let extension: Extension;
beforeEach(async () => {
  extension = await Extension.start();
});
afterEach(() => extension.stop());

const ROUTE = 'GET classrooms/spring/events';

function say(response: ServerResponse, ...numbers: number[]): void {
  numbers.forEach(number => response.write(`id: ${number}\ndata: ${JSON.stringify(event(number))}\n\n`));
}

interface Reading {
  readonly numbers: number[];
  readonly pauses: number[];
  readonly states: boolean[];
}

/** Reads until `enough` events or pauses were seen. */
async function read(until: (reading: Reading) => boolean): Promise<Reading> {
  const reading: Reading = { numbers: [], pauses: [], states: [] };
  const end = new AbortController();
  const look = () => until(reading) && end.abort();
  const api = new Api(extension.connection);
  await readEvents(
    {
      after: 7,
      open: (after, signal) => api.events('spring', after, signal),
      onEvent: ({ number }) => {
        reading.numbers.push(number);
        look();
      },
      onState: connected => reading.states.push(connected),
      pause: async milliseconds => {
        reading.pauses.push(milliseconds);
        look();
      }
    },
    end.signal
  );
  return reading;
}

test('a broken stream is taken up after the last event, without gap or double', async () => {
  const after: unknown[] = [];
  extension.on(ROUTE, (request, _body, response) => {
    after.push(request.headers['last-event-id']);
    if (after.length === 1) {
      say(response, 8, 9);
      response.end();
    } else {
      say(response, 9, 10);
    }
    return undefined;
  });
  const { numbers, states } = await read(({ numbers }) => numbers.length === 3);
  expect(numbers).toEqual([8, 9, 10]);
  expect(after).toEqual(['7', '9']);
  expect(states).toEqual([true, false, true, false]);
});

test('pauses grow while there is no stream, up to half a minute', async () => {
  extension.fail(ROUTE, 503, 'unavailable');
  const { pauses, states } = await read(({ pauses }) => pauses.length === 9);
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  expect(states).not.toContain(true);
});

test('an event that came makes the next pause short again', async () => {
  let count = 0;
  extension.on(ROUTE, (_request, _body, response) => {
    count += 1;
    if (count < 3) {
      response.statusCode = 503;
    } else {
      say(response, 8);
    }
    return '';
  });
  const { pauses } = await read(({ pauses }) => pauses.length === 3);
  expect(pauses).toEqual([500, 1000, 500]);
});
