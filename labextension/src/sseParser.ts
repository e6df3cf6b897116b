/**
 * Parses server-sent events from text that arrives in chunks (WHATWG HTML, "Parsing an event stream").
 */
export interface ServerSentEvent {
  readonly id: string;
  readonly data: string;
}

export class SseParser {
  private _incompleteLine = '';
  private _id = '';
  private _data: string[] = [];

  /** Adds a chunk and returns the events that it completes. Comments and unknown fields are ignored. */
  push(chunk: string): ServerSentEvent[] {
    const lines = (this._incompleteLine + chunk).split(/\r\n|\n|\r(?!$)/);
    this._incompleteLine = lines.pop() ?? '';
    return lines.flatMap(line => this._parseLine(line));
  }

  private _parseLine(line: string): ServerSentEvent[] {
    if (line === '') {
      const event = { id: this._id, data: this._data.join('\n') };
      const hasData = this._data.length > 0;
      this._data = [];
      return hasData ? [event] : [];
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') {
      this._data.push(value);
    } else if (field === 'id') {
      this._id = value;
    }
    return [];
  }
}
