/** @jest-environment node */
import { PmhError, request, send } from '../src/request';
import { Extension, type Answer } from './extension';

let extension: Extension;
beforeEach(async () => {
  extension = await Extension.start();
});
afterEach(() => extension.stop());

function refused(path: string): Promise<PmhError> {
  return request(extension.connection, path).then(
    () => {
      throw new Error('it was answered');
    },
    (error: unknown) => error as PmhError
  );
}

test('an answer is JSON, and nothing for 204', async () => {
  extension.on('GET me', { name: 'ada' });
  extension.on('DELETE outbox/1', (_request, _body, response) => {
    response.statusCode = 204;
    return '';
  });
  expect(await request(extension.connection, 'me')).toEqual({ name: 'ada' });
  expect(await request(extension.connection, 'outbox/1', { method: 'DELETE' })).toBeUndefined();
});

test('a failure in our shape keeps its words', async () => {
  extension.fail('GET me', 409, 'conflict');
  expect(await refused('me')).toMatchObject({
    code: 'conflict',
    message: 'It is conflict.',
    advice: 'Do this.',
    requestId: 'r-1',
    offline: false
  });
});

/** As a hub, a proxy or another server would answer. */
function answer(status: number, type: string, body = ''): Answer {
  return (_request, _body, response) => {
    response.statusCode = status;
    response.setHeader('Content-Type', type);
    return body || (type === JSON_TYPE ? '{"message": "Forbidden", "reason": null}' : '<html></html>');
  };
}

const JSON_TYPE = 'application/json';
const HTML = 'text/html; charset=utf-8';

test.each([
  [404, HTML, 'not-installed'],
  [404, JSON_TYPE, 'not-installed'],
  [401, JSON_TYPE, 'not-logged-in'],
  [403, JSON_TYPE, 'not-logged-in'],
  [403, HTML, 'not-logged-in'],
  [424, JSON_TYPE, 'unreachable'],
  [424, HTML, 'unreachable'],
  [503, HTML, 'unreachable'],
  [500, HTML, 'internal']
])('a %i of %s that is not ours, and stays, becomes %s, with advice', async (status, type, code) => {
  for (const path of ['me', 'status']) {
    extension.on(`GET ${path}`, answer(status, type));
  }
  const error = await refused('me');
  expect(error.code).toBe(code);
  expect(error.advice).not.toBe('');
});

test.each([
  [403, HTML],
  [404, HTML],
  [500, HTML]
])('a %i of a moment is of nobody who counts: the server was away', async (status, type) => {
  extension.on('GET me', answer(status, type));
  for (const next of [answer(503, HTML), answer(424, JSON_TYPE)]) {
    extension.on('GET status', next);
    expect(await refused('me')).toMatchObject({ code: 'unreachable', offline: true });
  }
  extension.on('GET status', { connected: true });
  expect((await refused('me')).code).toBe('unreachable');
  extension.fail('GET status', 403, 'not-allowed');
  expect((await refused('me')).code).toBe('unreachable');
});

test('what stays is asked for until it is sure, and what is sure only once', async () => {
  extension.on('GET me', answer(403, HTML));
  extension.on('GET status', answer(403, HTML));
  await refused('me');
  expect(extension.asked.map(one => one.route)).toEqual(['GET me', 'GET status', 'GET status', 'GET status']);
  extension.on('GET me', answer(403, JSON_TYPE));
  await refused('me');
  expect(extension.asked).toHaveLength(5);
});

test.each([
  ['/hub/login?next=here', 'not-logged-in'],
  ['/hub/api/oauth2/authorize?client_id=x', 'not-logged-in'],
  ['/hub/spawn-pending/ada', 'unreachable']
])('the way to %s means %s, whatever is found there', async (place, code) => {
  extension.on('GET me', (_request, _body, response) => {
    response.statusCode = 302;
    response.setHeader('Location', place);
    return '';
  });
  extension.on(`GET ${place.split('?')[0]}`, answer(200, HTML));
  expect((await refused('me')).code).toBe(code);
});

test('an answer that is no JSON is an error, not a value', async () => {
  extension.on('GET me', () => '<html></html>');
  expect((await refused('me')).code).toBe('internal');
});

test('a server that is gone is unreachable, which is offline', async () => {
  const { connection } = extension;
  await extension.stop();
  await expect(send(connection, 'me')).rejects.toMatchObject({ code: 'unreachable', offline: true });
  extension = await Extension.start();
});
