/**
 * Keeps the keyboard focus inside the side panel.
 */

const PREFERRED = 'input, .pmh-Primary';
const FOCUSABLE = 'button, select, input';

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
    // A removed element loses the focus as well, and that is the case to handle; any other loss is caused by the user.
    queueMicrotask(() => {
      if (focusedElement === blurredElement && blurredElement.isConnected) {
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
