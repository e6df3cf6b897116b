import { keepOwnKeys } from '../src/strip/keys';

/** Whether JupyterLab hears of a key pressed at a button in a strip. */
function heard(init: KeyboardEventInit): boolean {
  let heard = false;
  const hear = () => (heard = true);
  document.addEventListener('keydown', hear);
  strip.firstElementChild?.dispatchEvent(new KeyboardEvent('keydown', { ...init, bubbles: true }));
  document.removeEventListener('keydown', hear);
  return heard;
}

const strip = document.createElement('div');
strip.append(document.createElement('button'));
document.body.append(strip);
keepOwnKeys(strip);

test.each([
  [{ key: 'Enter' }, false],
  [{ key: 'd' }, false],
  [{ key: 'D', shiftKey: true }, false],
  [{ key: 'c', ctrlKey: true, shiftKey: true }, true],
  [{ key: 's', metaKey: true }, true]
])('%o reaches JupyterLab: %s', (init, reaches) => {
  expect(heard(init)).toBe(reaches);
});
