import { RefreshScheduler } from '../src/refreshScheduler';

let refresh: jest.Mock<Promise<void>, []>;
let scheduler: RefreshScheduler;

beforeEach(() => {
  jest.useFakeTimers();
  refresh = jest.fn(async () => undefined);
  scheduler = new RefreshScheduler(refresh);
});
afterEach(() => {
  scheduler.dispose();
  jest.useRealTimers();
});

test('several calls within a moment cause one refresh', async () => {
  scheduler.refreshSoon();
  await jest.advanceTimersByTimeAsync(150);
  scheduler.refreshSoon();
  await jest.advanceTimersByTimeAsync(150);
  expect(refresh).not.toHaveBeenCalled();
  await jest.advanceTimersByTimeAsync(100);
  expect(refresh).toHaveBeenCalledTimes(1);
});

test('a refresh is retried every 15 seconds while it is needed', async () => {
  scheduler.setRetrying(true);
  await jest.advanceTimersByTimeAsync(14_000);
  expect(refresh).not.toHaveBeenCalled();
  await jest.advanceTimersByTimeAsync(17_000);
  expect(refresh).toHaveBeenCalledTimes(2);
  scheduler.setRetrying(false);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(refresh).toHaveBeenCalledTimes(2);
});

test('a disposed scheduler leaves no timer', async () => {
  scheduler.setRetrying(true);
  scheduler.refreshSoon();
  scheduler.dispose();
  scheduler.refreshSoon();
  expect(jest.getTimerCount()).toBe(0);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(refresh).not.toHaveBeenCalled();
});
