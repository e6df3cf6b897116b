/**
 * Keeps the keyboard focus inside the side panel.
 */

const PREFERRED = 'input, .pmh-Primary';
const FOCUSABLE = 'button, select, input';
const LAUNCHER = '.jp-Launcher';

/** Focuses the panel's main control: the join code, the lesson to continue with, or else its first control or the panel itself. */
export function focusPanel(node: HTMLElement): void {
  const target = node.querySelector<HTMLElement>(PREFERRED) ?? node.querySelector<HTMLElement>(FOCUSABLE) ?? node;
  target.focus();
}

/**
 * Moves the focus to the panel's main control when the focused control disappears from the panel: a form that was sent, a notice that
 * was dismissed. Without this the browser moves the focus to the start of the page.
 */
export function keepFocusInside(node: HTMLElement): void {
  // A panel without any control, as while it loads, can be focused itself.
  node.tabIndex = -1;
  let focusedElement: Element | null = null;
  node.addEventListener('focusin', event => (focusedElement = event.target as Element));
  node.addEventListener('focusout', event => {
    const blurredElement = event.target as Element;
    // A removed element loses the focus as well, and that is the case to handle. An element may also have got the focus back by now
    // (`returnFocusFromLauncher`). Any other loss is caused by the user.
    queueMicrotask(() => {
      const isLeft = blurredElement.isConnected && document.activeElement !== blurredElement;
      if (focusedElement === blurredElement && isLeft) {
        focusedElement = null;
      }
    });
  });
  const observer = new MutationObserver(() => {
    if (focusedElement && !focusedElement.isConnected) {
      focusedElement = null;
      if (node.isConnected && (document.activeElement === null || document.activeElement === document.body)) {
        focusPanel(node);
      }
    }
  });
  observer.observe(node, { childList: true, subtree: true });
}

/**
 * Moves the focus back when JupyterLab's Launcher takes it from the panel. JupyterLab activates the Launcher at the end of its start,
 * seconds after the panel can be used, and would interrupt a student who is typing the join code.
 *
 * This reacts only to the first activation of the Launcher, and only while no key or button is pressed: later ones are the user's.
 */
export function returnFocusFromLauncher(node: HTMLElement): void {
  const controller = new AbortController();
  const options = { capture: true, signal: controller.signal };
  let isPressed = false;
  for (const press of ['keydown', 'pointerdown']) {
    document.addEventListener(press, () => (isPressed = true), options);
  }
  for (const release of ['keyup', 'pointerup', 'pointercancel']) {
    document.addEventListener(release, () => (isPressed = false), options);
  }
  const handleFocus = ({ target, relatedTarget: previous }: FocusEvent): void => {
    if (target instanceof Element && target.matches(LAUNCHER)) {
      controller.abort();
      if (!isPressed && previous instanceof HTMLElement && node.contains(previous)) {
        previous.focus();
      }
    }
  };
  document.addEventListener('focusin', handleFocus, options);
}
