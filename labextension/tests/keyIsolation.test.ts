import { stopPlainKeys } from '../src/strip/keyIsolation';

/** Whether a key that is pressed on a button in a strip reaches the document. */
function reachesDocument(init: KeyboardEventInit): boolean {
  let isReached = false;
  const listener = () => (isReached = true);
  document.addEventListener('keydown', listener);
  strip.firstElementChild?.dispatchEvent(new KeyboardEvent('keydown', { ...init, bubbles: true }));
  document.removeEventListener('keydown', listener);
  return isReached;
}

const strip = document.createElement('div');
strip.append(document.createElement('button'));
document.body.append(strip);
stopPlainKeys(strip);

test.each([
  [{ key: 'Enter' }, false],
  [{ key: 'd' }, false],
  [{ key: 'D', shiftKey: true }, false],
  [{ key: 'c', ctrlKey: true, shiftKey: true }, true],
  [{ key: 's', metaKey: true }, true]
])('%o reaches JupyterLab: %s', (init, isReached) => {
  expect(reachesDocument(init)).toBe(isReached);
});
