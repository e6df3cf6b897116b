/**
 * A live region for screen readers. It is a child of the document's body, because a region inside the side panel or a cell is not read
 * out while the panel is closed or the cell is scrolled out of sight.
 */
import type { IDisposable } from '@lumino/disposable';

export class Announcer implements IDisposable {
  constructor(host: HTMLElement = document.body) {
    this._node = document.createElement('div');
    this._node.className = 'pmh-Announcement';
    this._node.setAttribute('role', 'status');
    this._node.setAttribute('aria-live', 'polite');
    host.appendChild(this._node);
  }

  get isDisposed(): boolean {
    return !this._node.isConnected;
  }

  dispose(): void {
    this._node.remove();
  }

  announce(sentence: string): void {
    // The same sentence is read out twice only if the region was empty in between.
    this._node.replaceChildren();
    const line = document.createElement('p');
    line.textContent = sentence;
    this._node.appendChild(line);
  }

  private readonly _node: HTMLElement;
}
