/**
 * Keys pressed in a strip or a result. Bare ones belong to its own buttons: Enter must not mean "edit this cell", nor D D "delete it".
 * With Ctrl, Alt or Cmd they are meant for JupyterLab, as everywhere on the page.
 */
export function keepOwnKeys(node: HTMLElement): void {
  node.addEventListener('keydown', event => {
    if (!event.ctrlKey && !event.altKey && !event.metaKey) {
      event.stopPropagation();
    }
  });
}
