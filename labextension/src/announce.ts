/**
 * The live region that says verdicts aloud. It hangs on the document itself: a side panel can be folded away and a cell can leave the
 * page while it is scrolled, and then nothing in them is read out.
 */
import type { IDisposable } from '@lumino/disposable';

export class Announcer implements IDisposable {
  constructor(host: HTMLElement = document.body) {
    this._node = document.createElement('div');
    this._node.className = 'pmh-Spoken';
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

  say(sentence: string): void {
    // The same sentence twice is a change only if the region was empty in between.
    this._node.replaceChildren();
    const line = document.createElement('p');
    line.textContent = sentence;
    this._node.appendChild(line);
  }

  private readonly _node: HTMLElement;
}
