/**
 * The server extension's routes as functions, one line each: see "The server extension's API" in docs/architecture.md.
 */
import { post, request, send, type Connection } from './request';
import type {
  ClassroomReply,
  LabStatus,
  LabWorkReply,
  MeReply,
  OpenReply,
  OutboxReply,
  OutlineReply,
  WorkListReply,
  WorkReply
} from './wire';

export class Api {
  constructor(private readonly _connection: Connection) {}

  /** Where the server lies; tells one user's server from another's in what the browser keeps. */
  get baseUrl(): string {
    return this._connection.settings.baseUrl;
  }

  status(): Promise<LabStatus> {
    return request(this._connection, 'status');
  }

  me(): Promise<MeReply> {
    return request(this._connection, 'me');
  }

  join(code: string): Promise<ClassroomReply> {
    return request(this._connection, 'join', post({ join_code: code }));
  }

  outline(classroom: string): Promise<OutlineReply> {
    return request(this._connection, `classrooms/${enc(classroom)}/outline`);
  }

  works(classroom: string, lesson: string): Promise<WorkListReply> {
    return request(this._connection, `classrooms/${enc(classroom)}/work?lesson=${enc(lesson)}`);
  }

  work(id: string): Promise<WorkReply> {
    return request(this._connection, `work/${enc(id)}`);
  }

  open(classroom: string, lesson: string, unsaved: readonly string[]): Promise<OpenReply> {
    return request(this._connection, `${place(classroom, lesson)}/open`, post({ unsaved }));
  }

  check(classroom: string, lesson: string, id: string, exercises: readonly string[]): Promise<LabWorkReply> {
    return request(this._connection, `${place(classroom, lesson)}/checks`, post({ id, exercises }));
  }

  submit(classroom: string, lesson: string, id: string): Promise<LabWorkReply> {
    return request(this._connection, `${place(classroom, lesson)}/submissions`, post({ id }));
  }

  outbox(): Promise<OutboxReply> {
    return request(this._connection, 'outbox');
  }

  sendOutbox(): Promise<OutboxReply> {
    return request(this._connection, 'outbox/send', post({}));
  }

  forget(id: string): Promise<void> {
    return request(this._connection, `outbox/${enc(id)}`, { method: 'DELETE' });
  }

  /** The open event stream, after the event numbered `after`. */
  events(classroom: string, after: number, signal: AbortSignal): Promise<Response> {
    const headers = { Accept: 'text/event-stream', 'Last-Event-ID': String(after) };
    return send(this._connection, `classrooms/${enc(classroom)}/events?after=${after}`, { headers, signal });
  }
}

const enc = encodeURIComponent;

function place(classroom: string, lesson: string): string {
  return `classrooms/${enc(classroom)}/lessons/${enc(lesson)}`;
}
