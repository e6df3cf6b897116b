/**
 * State that this browser stores between visits: the classroom shown last and its outline, so that the panel can start without the hub.
 */
import type { OutlineReply } from './wire';

export class LocalCache {
  /** `scope` separates users' servers: several people may use one browser, and all servers share an origin. */
  constructor(
    private readonly _scope: string,
    private readonly _storage: Storage = window.localStorage
  ) {}

  get classroom(): string | null {
    return this._read('classroom');
  }

  set classroom(slug: string | null) {
    this._write('classroom', slug);
  }

  get outline(): OutlineReply | null {
    const text = this._read('outline');
    try {
      return text === null ? null : (JSON.parse(text) as OutlineReply);
    } catch {
      return null;
    }
  }

  set outline(outline: OutlineReply | null) {
    this._write('outline', outline && JSON.stringify(outline));
  }

  private _read(name: string): string | null {
    try {
      return this._storage.getItem(this._key(name));
    } catch {
      return null;
    }
  }

  private _write(name: string, value: string | null): void {
    try {
      if (value === null) {
        this._storage.removeItem(this._key(name));
      } else {
        this._storage.setItem(this._key(name), value);
      }
    } catch {
      // The storage is full or forbidden. The panel works without the cache.
    }
  }

  private _key(name: string): string {
    return `pmh-jupyter:${this._scope}:${name}`;
  }
}
