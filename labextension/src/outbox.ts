/**
 * The outbox of the user's server: submissions that the hub could not receive yet, and those that it rejected for good.
 */
import type { Api } from './api';
import { PmhError, rethrowUnlessPmhError } from './request';
import type { SubmissionStore } from './submissions';
import type { OutboxReply } from './wire';

const EMPTY: OutboxReply = { waiting: [], rejected: [] };

export class Outbox {
  constructor(
    private readonly _api: Api,
    private readonly _submissions: SubmissionStore
  ) {}

  /** The entries as of the last fetch. */
  get entries(): OutboxReply {
    return this._entries;
  }

  /** Fetches the entries; keeps the previous ones if the extension does not respond. */
  async refresh(): Promise<void> {
    await this._updateFrom(() => this._api.fetchOutbox());
  }

  /** Tries to send the waiting entries immediately. */
  async send(): Promise<void> {
    await this._updateFrom(() => this._api.sendOutbox());
  }

  /** Deletes an entry that was rejected for good; raises PmhError. */
  async deleteRejected(id: string): Promise<void> {
    await this._api.deleteRejected(id);
    await this.refresh();
  }

  private async _updateFrom(fetchEntries: () => Promise<OutboxReply>): Promise<void> {
    try {
      this._entries = await fetchEntries();
    } catch (error) {
      rethrowUnlessPmhError(error);
      return;
    }
    this._entries.rejected
      .filter(entry => this._submissions.pendingIds.includes(entry.id))
      .forEach(entry => this._submissions.fail(entry.id, new PmhError('rejected', entry.last_error, '')));
  }

  private _entries: OutboxReply = EMPTY;
}
