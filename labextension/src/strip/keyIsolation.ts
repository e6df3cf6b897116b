/**
 * Keeps keys that are pressed in a strip or a result from reaching JupyterLab, where Enter would edit the cell and D D delete it. Keys
 * with Ctrl, Alt or Cmd are JupyterLab's shortcuts and work as everywhere on the page.
 */
export function stopPlainKeys(node: HTMLElement): void {
  node.addEventListener('keydown', event => {
    if (!event.ctrlKey && !event.altKey && !event.metaKey) {
      event.stopPropagation();
    }
  });
}
