/** @jest-environment node */
import { makePost, PmhError, request, send } from '../src/request';
import { FakeExtension, type Handler } from './fakeExtension';

let extension: FakeExtension;
beforeEach(async () => {
  extension = await FakeExtension.start();
});
afterEach(() => extension.stop());

function failedRequest(path: string): Promise<PmhError> {
  return request(extension.connection, path).then(
    () => {
      throw new Error('the request succeeded');
    },
    (error: unknown) => error as PmhError
  );
}

test('a reply is parsed as JSON, and a 204 gives undefined', async () => {
  extension.on('GET me', { name: 'ada' });
  extension.on('DELETE outbox/1', (_request, _body, response) => {
    response.statusCode = 204;
    return '';
  });
  expect(await request(extension.connection, 'me')).toEqual({ name: 'ada' });
  expect(await request(extension.connection, 'outbox/1', { method: 'DELETE' })).toBeUndefined();
});

test('an error in the extension’s format keeps its code, message and advice', async () => {
  extension.fail('GET me', 409, 'conflict');
  expect(await failedRequest('me')).toMatchObject({
    code: 'conflict',
    message: 'It is conflict.',
    advice: 'Do this.',
    requestId: 'r-1',
    isOffline: false
  });
});

/** A reply as a hub, a proxy or another server would send it. */
function foreignReply(status: number, type: string, body = ''): Handler {
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
])('a persistent %i of %s from another program becomes the error %s with advice', async (status, type, code) => {
  for (const path of ['me', 'status']) {
    extension.on(`GET ${path}`, foreignReply(status, type));
  }
  const error = await failedRequest('me');
  expect(error.code).toBe(code);
  expect(error.advice).not.toBe('');
});

test.each([
  [403, HTML],
  [404, HTML],
  [500, HTML]
])('a temporary %i of %s means that the server is unreachable', async (status, type) => {
  extension.on('GET me', foreignReply(status, type));
  for (const next of [foreignReply(503, HTML), foreignReply(424, JSON_TYPE)]) {
    extension.on('GET status', next);
    expect(await failedRequest('me')).toMatchObject({ code: 'unreachable', isOffline: true });
  }
  extension.on('GET status', { connected: true });
  expect((await failedRequest('me')).code).toBe('unreachable');
  extension.fail('GET status', 403, 'not-allowed');
  expect((await failedRequest('me')).code).toBe('unreachable');
});

test('an uncertain reply is verified three times, a certain one is not', async () => {
  extension.on('GET me', foreignReply(403, HTML));
  extension.on('GET status', foreignReply(403, HTML));
  await failedRequest('me');
  expect(extension.requests.map(({ route }) => route)).toEqual(['GET me', 'GET status', 'GET status', 'GET status']);
  extension.on('GET me', foreignReply(403, JSON_TYPE));
  await failedRequest('me');
  expect(extension.requests).toHaveLength(5);
});

test.each([
  ['/hub/login?next=here', 'not-logged-in'],
  ['/hub/api/oauth2/authorize?client_id=x', 'not-logged-in'],
  ['/hub/spawn-pending/ada', 'unreachable']
])('a redirect to %s becomes the error %s', async (location, code) => {
  extension.on('GET me', (_request, _body, response) => {
    response.statusCode = 302;
    response.setHeader('Location', location);
    return '';
  });
  extension.on(`GET ${location.split('?')[0]}`, foreignReply(200, HTML));
  expect((await failedRequest('me')).code).toBe(code);
});

test('a reply that is not JSON is an error', async () => {
  extension.on('GET me', () => '<html></html>');
  expect((await failedRequest('me')).code).toBe('internal');
});

test('a request that ends without a response is sent again, as when the network changes', async () => {
  let cuts = 2;
  extension.on('POST join', (request, _body, response) => {
    if (cuts-- > 0) {
      request.socket.destroy();
      return undefined;
    }
    response.statusCode = 201;
    return { slug: 'spring' };
  });
  const init = makePost({ join_code: 'abc' });
  expect(await request(extension.connection, 'join', init)).toEqual({ slug: 'spring' });
  expect(extension.requests.map(({ body }) => body)).toEqual(Array(3).fill({ join_code: 'abc' }));
});

test('a stopped server is unreachable, which counts as offline', async () => {
  const { connection } = extension;
  await extension.stop();
  await expect(send(connection, 'me')).rejects.toMatchObject({ code: 'unreachable', isOffline: true });
  extension = await FakeExtension.start();
});
