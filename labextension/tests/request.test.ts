/** @jest-environment node */
import { PmhError, request, send } from '../src/request';
import { Extension } from './extension';

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

test.each([
  [404, 'not-installed'],
  [403, 'not-logged-in'],
  [424, 'unreachable'],
  [503, 'unreachable'],
  [500, 'internal']
])('a %i that is not ours becomes %s, with advice', async (status, code) => {
  extension.on('GET me', (_request, _body, response) => {
    response.statusCode = status;
    return '<html></html>';
  });
  const error = await refused('me');
  expect(error.code).toBe(code);
  expect(error.advice).not.toBe('');
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
