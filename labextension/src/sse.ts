/**
 * Server-sent events out of text that comes in pieces (WHATWG HTML, "Parsing an event stream").
 */
export interface ServerEvent {
  readonly id: string;
  readonly data: string;
}

export class SseParser {
  private _rest = '';
  private _id = '';
  private _data: string[] = [];

  /** Takes the next piece and gives the events that are whole now. Comments and unknown fields are dropped. */
  push(piece: string): ServerEvent[] {
    const lines = (this._rest + piece).split(/\r\n|\n|\r(?!$)/);
    this._rest = lines.pop() ?? '';
    return lines.flatMap(line => this._line(line));
  }

  private _line(line: string): ServerEvent[] {
    if (line === '') {
      const event = { id: this._id, data: this._data.join('\n') };
      const whole = this._data.length > 0;
      this._data = [];
      return whole ? [event] : [];
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
