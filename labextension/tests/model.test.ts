/** @jest-environment node */
import type { ServerResponse } from 'node:http';

import { Api } from '../src/api';
import { LocalCache } from '../src/localCache';
import type { Award } from '../src/classroomEvents';
import { ClassroomModel } from '../src/model';
import { RefreshScheduler } from '../src/refreshScheduler';
import { ResultPoller } from '../src/resultPoller';
import { SubmissionStore } from '../src/submissions';
import type { EventReply } from '../src/wire';
import { FakeExtension } from './fakeExtension';
import { event, lesson, outline, submission } from './samples';

const CHECKS = 'POST classrooms/spring/lessons/values/checks';

/** A browser's local storage, in memory. */
class FakeStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

let extension: FakeExtension;
let storage: FakeStorage;
let model: ClassroomModel;

function createModel(): ClassroomModel {
  return new ClassroomModel(new Api(extension.connection), new LocalCache('ada', storage as unknown as Storage));
}

beforeEach(async () => {
  extension = await FakeExtension.start();
  storage = new FakeStorage();
  extension.on('GET me', { id: 'p', name: 'ada', classrooms: [outline().classroom] });
  extension.on('GET classrooms/spring/outline', outline());
  extension.on('GET outbox', { waiting: [], rejected: [] });
  model = createModel();
});
afterEach(() => {
  Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
  model.dispose();
  return extension.stop();
});

/** Waits until a change of the model meets the condition; the test's own timeout ends a wait in vain. */
function until(condition: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const check = () => condition() && resolve();
    model.changed.connect(check);
    model.submissions.changed.connect(check);
    check();
  });
}

/** Responds to a check with this state, after `prepare` has added the routes that are needed afterwards. */
function onCheck(state: string, prepare: (id: string) => void = () => undefined): void {
  extension.on(CHECKS, (_request, body) => {
    const { id } = body as { id: string };
    prepare(id);
    return { id, kind: 'check', state, receipt: null, left_out: [] };
  });
}

/** Grants every lock until the end of the test, so that the model opens an event stream. */
function grantLocks(): void {
  const locks = { request: (_name: string, _options: object, hold: () => Promise<void>) => hold() };
  Object.defineProperty(navigator, 'locks', { value: locks, configurable: true });
}

function sentId(): string {
  return (extension.requests.at(-1)?.body as { id: string }).id;
}

test('the first refresh loads the classroom, its outline and the next lesson', async () => {
  await model.refresh();
  expect(model.phase).toBe('ready');
  expect(model.nextLesson?.title).toBe('Values and names');
  expect(model.isOnline).toBe(true);
});

test('a person without a classroom can join one', async () => {
  extension.on('GET me', { id: 'p', name: 'ada', classrooms: [] });
  await model.refresh();
  expect(model.phase).toBe('no-classroom');
  extension.on('POST join', outline().classroom);
  extension.on('GET me', { id: 'p', name: 'ada', classrooms: [outline().classroom] });
  await model.join('GOOD-CODE');
  expect(model.phase).toBe('ready');
});

test('while the hub is unavailable the outline of the last visit is shown', async () => {
  await model.refresh();
  model.dispose();
  extension.fail('GET me', 503, 'unavailable');
  model = createModel();
  await model.refresh();
  expect(model).toMatchObject({ phase: 'ready', isOnline: false });
  expect(model.findLesson('values')).not.toBeNull();
});

test('an error without a cached outline fails the model, and a successful refresh clears it', async () => {
  extension.fail('GET me', 500, 'internal');
  await model.refresh();
  expect(model).toMatchObject({ phase: 'failed', error: { code: 'internal' } });
  extension.on('GET me', { id: 'p', name: 'ada', classrooms: [outline().classroom] });
  await model.refresh();
  expect(model).toMatchObject({ phase: 'ready', error: null });
});

test('a check is sent once and its verdict is polled without an event stream', async () => {
  await model.refresh();
  onCheck('queued', id => extension.on(`GET submissions/${id}`, submission(id)));
  await model.sendCheck('values', 'swap');
  expect(extension.requests.at(-1)?.body).toEqual({ id: sentId(), exercises: ['swap'] });
  await until(() => model.submissions.get('values', 'swap')?.state === 'graded');
  expect(model.submissions.get('values', 'swap')?.verdict?.outcome).toBe('failed');
});

test('a check that is kept in the outbox makes the model offline', async () => {
  await model.refresh();
  onCheck('waiting');
  await model.sendCheck('values', 'swap');
  expect(model.submissions.get('values', 'swap')?.state).toBe('waiting');
  expect(model.isOnline).toBe(false);
});

test('a hub that becomes unavailable while a verdict is pending makes the model offline', async () => {
  await model.refresh();
  onCheck('queued', id => {
    extension.fail(`GET submissions/${id}`, 503, 'unavailable');
    extension.fail('GET me', 503, 'unavailable');
  });
  await model.sendCheck('values', 'swap');
  await until(() => !model.isOnline);
  expect(model.submissions.get('values', 'swap')?.state).toBe('queued');
});

test('a rejected check keeps its error', async () => {
  await model.refresh();
  extension.fail(CHECKS, 429, 'too-many-requests');
  await model.sendCheck('values', 'swap');
  expect(model.submissions.get('values', 'swap')).toMatchObject({ state: 'failed', error: { advice: 'Do this.' } });
});

test('a check that the hub rejected from the outbox ends with the reason', async () => {
  await model.refresh();
  onCheck('waiting', id => {
    extension.on('GET outbox', {
      waiting: [],
      rejected: [{ id, kind: 'check', classroom: 'spring', lesson: 'values', created_at: '', send_count: 1, last_error: 'Closed.' }]
    });
  });
  await model.sendCheck('values', 'swap');
  expect(model.submissions.get('values', 'swap')).toMatchObject({ state: 'failed', error: { message: 'Closed.' } });
});

test('a final submission returns its receipt and makes every exercise pending', async () => {
  await model.refresh();
  const receipt = { code: '7KQM-2XWD' };
  extension.on('POST classrooms/spring/lessons/values/submissions', (_request, body) => ({
    ...(body as object),
    kind: 'final',
    state: 'queued',
    receipt,
    left_out: []
  }));
  expect((await model.sendFinal(lesson())).receipt).toEqual(receipt);
  expect(['swap', 'round'].map(id => model.submissions.get('values', id)?.state)).toEqual(['queued', 'queued']);
});

test('events load the verdict, report an achievement and refresh the outline', async () => {
  grantLocks();
  extension.on('GET submissions/s9', submission('s9'));
  extension.on('GET classrooms/spring/events', (_request, _body, response) => {
    const events = [
      event(8, 'submission-graded', { submission_id: 's9', kind: 'check', lesson: 'values', exercises: ['swap'] }),
      event(9, 'award-earned', { award: 'first', title: 'First solve', description: 'Yes.', icon: 'star' })
    ];
    response.write(events.map(sent => `id: ${sent.number}\ndata: ${JSON.stringify(sent)}\n\n`).join(''));
    return undefined;
  });
  const awards: Award[] = [];
  model.awardEarned.connect((_, award) => awards.push(award));
  await model.refresh();
  extension.on('GET classrooms/spring/outline', outline({ points: 2, last_event_number: 9 }));
  await until(() => model.submissions.get('values', 'swap')?.state === 'graded' && model.outline?.points === 2);
  expect(awards).toEqual([{ title: 'First solve', description: 'Yes.', icon: 'star' }]);
});

test('a refresh follows a result, but not the receipt of a check that this page has sent', async () => {
  grantLocks();
  const refreshSoon = jest.spyOn(RefreshScheduler.prototype, 'refreshSoon');
  let stream: ServerResponse | null = null;
  const send = (sent: EventReply) => stream?.write(`id: ${sent.number}\ndata: ${JSON.stringify(sent)}\n\n`);
  const subscribed = new Promise<void>(resolve =>
    extension.on('GET classrooms/spring/events', (_request, _body, response) => {
      stream = response;
      response.write(':\n\n');
      resolve();
      return undefined;
    })
  );
  onCheck('queued', id => {
    extension.on(`GET submissions/${id}`, submission(id));
    const data = { submission_id: id, kind: 'check', lesson: 'values', exercises: ['swap'] };
    send(event(8, 'submission-received', data));
    send(event(9, 'submission-graded', { ...data, state: 'graded' }));
  });
  await model.refresh();
  await subscribed;
  refreshSoon.mockClear();
  await model.sendCheck('values', 'swap');
  await until(() => model.submissions.get('values', 'swap')?.state === 'graded');
  expect(refreshSoon).toHaveBeenCalledTimes(1);
  refreshSoon.mockRestore();
});

test('a check that cannot reach the server makes the model offline', async () => {
  await model.refresh();
  for (const route of ['GET me', CHECKS]) {
    extension.on(route, (_request, _body, response) => {
      response.statusCode = 503;
      return '<html></html>';
    });
  }
  await model.sendCheck('values', 'swap');
  expect(model.submissions.get('values', 'swap')?.error?.code).toBe('unreachable');
  await until(() => model.error?.code === 'unreachable');
  expect(model.isOnline).toBe(false);
});

test('a verdict that an event announced is fetched later if the hub was unavailable', async () => {
  const store = new SubmissionStore();
  const graded = new Promise<void>(resolve => store.changed.connect(() => resolve()));
  const poller = new ResultPoller(new Api(extension.connection), store, { isConnected: false }, () => undefined);
  extension.fail('GET submissions/s9', 503, 'unavailable');
  await poller.fetch('s9');
  expect(store.get('values', 'swap')).toBeNull();
  extension.on('GET submissions/s9', submission('s9'));
  await graded;
  expect(store.get('values', 'swap')?.state).toBe('graded');
  poller.dispose();
});

test('events that other tabs received before this one was listening are announced', async () => {
  await model.refresh();
  const missed = new Promise<void>(resolve => model.eventsMissed.connect(() => resolve()));
  const channel = new BroadcastChannel(`pmh-events:${extension.connection.settings.baseUrl}:spring`);
  channel.postMessage({ type: 'state', isConnected: true, lastEventNumber: 99 });
  await missed;
  channel.close();
});

test('verdicts that could not be loaded are reported as such', async () => {
  await model.refresh();
  extension.fail('GET classrooms/spring/submissions', 503, 'unavailable');
  expect(await model.loadSubmissions('values')).toBe(false);
  extension.on('GET classrooms/spring/submissions', { submissions: [submission('s9')] });
  expect(await model.loadSubmissions('values')).toBe(true);
  expect(model.submissions.get('values', 'swap')?.state).toBe('graded');
});
