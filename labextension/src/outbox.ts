/**
 * Work that the server extension keeps because the hub could not take it: what waits, and what was refused for good.
 */
import type { Api } from './api';
import { asPmhError, PmhError } from './request';
import type { OutboxReply } from './wire';
import type { Works } from './works';

const NOTHING: OutboxReply = { waiting: [], refused: [] };

export class Outbox {
  constructor(
    private readonly _api: Api,
    private readonly _works: Works
  ) {}

  /** As it was when it was last looked at. */
  get entries(): OutboxReply {
    return this._entries;
  }

  /** Looks what lies there; an extension that does not answer leaves it as it was. */
  async look(): Promise<void> {
    await this._take(() => this._api.outbox());
  }

  /** Tries at once to send what waits. */
  async send(): Promise<void> {
    await this._take(() => this._api.sendOutbox());
  }

  /** Drops work that was refused for good; raises PmhError. */
  async forget(id: string): Promise<void> {
    await this._api.forget(id);
    await this.look();
  }

  private async _take(ask: () => Promise<OutboxReply>): Promise<void> {
    try {
      this._entries = await ask();
    } catch (error) {
      asPmhError(error);
      return;
    }
    this._entries.refused
      .filter(entry => this._works.pending.includes(entry.id))
      .forEach(entry => this._works.fail(entry.id, new PmhError('refused', entry.last_error, '')));
  }

  private _entries: OutboxReply = NOTHING;
}
