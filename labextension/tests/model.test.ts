/** @jest-environment node */
import { Api } from '../src/api';
import { Memory } from '../src/memory';
import { ClassroomModel, type Award } from '../src/model';
import { Extension } from './extension';
import { event, lesson, outline, work } from './samples';

/** A browser's storage. */
class Store {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

let extension: Extension;
let store: Store;
let model: ClassroomModel;

function visit(): ClassroomModel {
  return new ClassroomModel(new Api(extension.connection), new Memory('ada', store as unknown as Storage));
}

beforeEach(async () => {
  extension = await Extension.start();
  store = new Store();
  extension.on('GET me', { id: 'p', name: 'ada', classrooms: [outline().classroom] });
  extension.on('GET classrooms/spring/outline', outline());
  extension.on('GET outbox', { waiting: [], refused: [] });
  model = visit();
});
afterEach(() => {
  model.dispose();
  return extension.stop();
});

/** Waits for a signal of the model; the test's own timeout ends a wait in vain. */
function until(condition: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const look = () => condition() && resolve();
    model.changed.connect(look);
    model.works.changed.connect(look);
    look();
  });
}

function sentId(): string {
  return (extension.asked.at(-1)?.body as { id: string }).id;
}

test('the first visit shows the classroom, its map and what comes next', async () => {
  await model.refresh();
  expect(model.phase).toBe('ready');
  expect(model.next?.title).toBe('Values and names');
  expect(model.online).toBe(true);
});

test('without a classroom there is a way in', async () => {
  extension.on('GET me', { id: 'p', name: 'ada', classrooms: [] });
  await model.refresh();
  expect(model.phase).toBe('no-classroom');
  extension.on('POST join', outline().classroom);
  extension.on('GET me', { id: 'p', name: 'ada', classrooms: [outline().classroom] });
  await model.join('GOOD-CODE');
  expect(model.phase).toBe('ready');
});

test('a hub that is away leaves the map of the last visit', async () => {
  await model.refresh();
  model.dispose();
  extension.fail('GET me', 503, 'unavailable');
  model = visit();
  await model.refresh();
  expect(model).toMatchObject({ phase: 'ready', online: false });
  expect(model.lesson('values')).not.toBeNull();
});

test('an error without a map is all there is to show, and is gone after a retry', async () => {
  extension.fail('GET me', 500, 'internal');
  await model.refresh();
  expect(model).toMatchObject({ phase: 'failed', error: { code: 'internal' } });
  extension.on('GET me', { id: 'p', name: 'ada', classrooms: [outline().classroom] });
  await model.refresh();
  expect(model).toMatchObject({ phase: 'ready', error: null });
});

test('a check is sent once and its verdict fetched, without a stream', async () => {
  await model.refresh();
  extension.on('POST classrooms/spring/lessons/values/checks', (_request, body) => {
    const { id } = body as { id: string };
    extension.on(`GET work/${id}`, work(id));
    return { id, kind: 'check', state: 'queued', receipt: null };
  });
  await model.check('values', 'swap');
  expect(extension.asked.at(-1)?.body).toEqual({ id: sentId(), exercises: ['swap'] });
  await until(() => model.works.get('values', 'swap')?.state === 'graded');
  expect(model.works.get('values', 'swap')?.verdict?.outcome).toBe('failed');
});

test('a check in the outbox waits, and the panel says that the hub is away', async () => {
  await model.refresh();
  extension.on('POST classrooms/spring/lessons/values/checks', (_request, body) => ({
    ...(body as object),
    kind: 'check',
    state: 'waiting',
    receipt: null
  }));
  await model.check('values', 'swap');
  expect(model.works.get('values', 'swap')?.state).toBe('waiting');
  expect(model.online).toBe(false);
});

test('a hub that goes away while a verdict is awaited is noticed', async () => {
  await model.refresh();
  extension.on('POST classrooms/spring/lessons/values/checks', (_request, body) => {
    const { id } = body as { id: string };
    extension.fail(`GET work/${id}`, 503, 'unavailable');
    extension.fail('GET me', 503, 'unavailable');
    return { id, kind: 'check', state: 'queued', receipt: null };
  });
  await model.check('values', 'swap');
  await until(() => !model.online);
  expect(model.works.get('values', 'swap')?.state).toBe('queued');
});

test('a check that is refused says why', async () => {
  await model.refresh();
  extension.fail('POST classrooms/spring/lessons/values/checks', 429, 'too-many-requests');
  await model.check('values', 'swap');
  expect(model.works.get('values', 'swap')).toMatchObject({ state: 'failed', error: { advice: 'Do this.' } });
});

test('work that the outbox gave up ends with its reason', async () => {
  await model.refresh();
  extension.on('POST classrooms/spring/lessons/values/checks', (_request, body) => {
    const { id } = body as { id: string };
    extension.on('GET outbox', {
      waiting: [],
      refused: [{ id, kind: 'check', classroom: 'spring', lesson: 'values', created_at: '', tries: 1, last_error: 'Closed.' }]
    });
    return { id, kind: 'check', state: 'waiting', receipt: null };
  });
  await model.check('values', 'swap');
  expect(model.works.get('values', 'swap')).toMatchObject({ state: 'failed', error: { message: 'Closed.' } });
});

test('a submission gives its receipt, and marks every exercise', async () => {
  await model.refresh();
  const receipt = { code: '7KQM-2XWD' };
  extension.on('POST classrooms/spring/lessons/values/submissions', (_request, body) => ({
    ...(body as object),
    kind: 'submission',
    state: 'queued',
    receipt
  }));
  expect((await model.submit(lesson())).receipt).toEqual(receipt);
  expect(['swap', 'round'].map(id => model.works.get('values', id)?.state)).toEqual(['queued', 'queued']);
});

test('an event brings its verdict, an achievement and a fresh map', async () => {
  const locks = { request: (_name: string, _options: object, hold: () => Promise<void>) => hold() };
  Object.defineProperty(navigator, 'locks', { value: locks, configurable: true });
  extension.on('GET work/w9', work('w9'));
  extension.on('GET classrooms/spring/events', (_request, _body, response) => {
    const events = [
      event(8, 'submission-graded', { work: 'w9', kind: 'check', lesson: 'values', exercises: ['swap'] }),
      event(9, 'award-earned', { award: 'first', title: 'First solve', description: 'Yes.', icon: 'star' })
    ];
    response.write(events.map(one => `id: ${one.number}\ndata: ${JSON.stringify(one)}\n\n`).join(''));
    return undefined;
  });
  const awards: Award[] = [];
  model.awarded.connect((_, award) => awards.push(award));
  await model.refresh();
  extension.on('GET classrooms/spring/outline', outline({ points: 2, last_event: 9 }));
  await until(() => model.works.get('values', 'swap')?.state === 'graded' && model.outline?.points === 2);
  expect(awards).toEqual([{ title: 'First solve', description: 'Yes.', icon: 'star' }]);
  Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
});

test('work that cannot be sent because nobody answers is told of in the panel too', async () => {
  await model.refresh();
  for (const route of ['GET me', 'POST classrooms/spring/lessons/values/checks']) {
    extension.on(route, (_request, _body, response) => {
      response.statusCode = 503;
      return '<html></html>';
    });
  }
  await model.check('values', 'coins');
  expect(model.works.get('values', 'coins')?.error?.code).toBe('unreachable');
  await until(() => model.error?.code === 'unreachable');
  expect(model.online).toBe(false);
});
