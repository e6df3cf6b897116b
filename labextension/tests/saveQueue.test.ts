import { PromiseDelegate } from '@lumino/coreutils';

import { queueSaves } from '../src/saveQueue';

/** A context whose saves end when the test ends them. */
function createContext() {
  const saves: PromiseDelegate<void>[] = [];
  const save = () => {
    const delegate = new PromiseDelegate<void>();
    saves.push(delegate);
    return delegate.promise;
  };
  return { context: { save }, saves };
}

async function settle(): Promise<void> {
  for (let count = 0; count < 5; count += 1) {
    await Promise.resolve();
  }
}

test('a save begins when the one before it has ended', async () => {
  const { context, saves } = createContext();
  queueSaves(context);
  const [first, second] = [context.save(), context.save()];
  await settle();
  expect(saves).toHaveLength(1);
  saves[0]?.resolve();
  await first;
  await settle();
  expect(saves).toHaveLength(2);
  saves[1]?.resolve();
  await second;
});

test('a failed save is reported to its caller only', async () => {
  const { context, saves } = createContext();
  queueSaves(context);
  const [first, second] = [context.save(), context.save()];
  await settle();
  saves[0]?.reject(new Error('disk full'));
  await expect(first).rejects.toThrow('disk full');
  await settle();
  saves[1]?.resolve();
  await expect(second).resolves.toBeUndefined();
});

test('a second view of a notebook does not queue its saves twice', async () => {
  const { context } = createContext();
  queueSaves(context);
  const { save } = context;
  queueSaves(context);
  expect(context.save).toBe(save);
});
