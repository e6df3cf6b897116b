/**
 * The server extension's routes, one method each: see "The server extension's API" in docs/architecture.md. Every method raises PmhError.
 */
import { post, request, send, type Connection } from './request';
import type {
  ClassroomReply,
  LabStatusReply,
  LabSubmissionReply,
  MeReply,
  OpenLessonReply,
  OutboxReply,
  OutlineReply,
  SubmissionListReply,
  SubmissionReply
} from './wire';

export class Api {
  constructor(private readonly _connection: Connection) {}

  /** The server's base URL, which differs between users' servers. */
  get baseUrl(): string {
    return this._connection.settings.baseUrl;
  }

  status(): Promise<LabStatusReply> {
    return request(this._connection, 'status');
  }

  me(): Promise<MeReply> {
    return request(this._connection, 'me');
  }

  join(code: string): Promise<ClassroomReply> {
    return request(this._connection, 'join', post({ join_code: code }));
  }

  outline(classroom: string): Promise<OutlineReply> {
    return request(this._connection, `classrooms/${encode(classroom)}/outline`);
  }

  submissions(classroom: string, lesson: string): Promise<SubmissionListReply> {
    return request(this._connection, `classrooms/${encode(classroom)}/submissions?lesson=${encode(lesson)}`);
  }

  submission(id: string): Promise<SubmissionReply> {
    return request(this._connection, `submissions/${encode(id)}`);
  }

  /** `unsavedNotebooks`: server paths of notebooks with unsaved changes, which are not merged now. */
  openLesson(classroom: string, lesson: string, unsavedNotebooks: readonly string[]): Promise<OpenLessonReply> {
    const body = { unsaved_notebooks: unsavedNotebooks };
    return request(this._connection, `${lessonPath(classroom, lesson)}/open`, post(body));
  }

  postCheck(classroom: string, lesson: string, id: string, exercises: readonly string[]): Promise<LabSubmissionReply> {
    return request(this._connection, `${lessonPath(classroom, lesson)}/checks`, post({ id, exercises }));
  }

  postSubmission(classroom: string, lesson: string, id: string): Promise<LabSubmissionReply> {
    return request(this._connection, `${lessonPath(classroom, lesson)}/submissions`, post({ id }));
  }

  outbox(): Promise<OutboxReply> {
    return request(this._connection, 'outbox');
  }

  sendOutbox(): Promise<OutboxReply> {
    return request(this._connection, 'outbox/send', post({}));
  }

  discardOutboxEntry(id: string): Promise<void> {
    return request(this._connection, `outbox/${encode(id)}`, { method: 'DELETE' });
  }

  /** Opens the event stream after the event numbered `after`. */
  openEventStream(classroom: string, after: number, signal: AbortSignal): Promise<Response> {
    const headers = { Accept: 'text/event-stream', 'Last-Event-ID': String(after) };
    return send(this._connection, `classrooms/${encode(classroom)}/events?after=${after}`, { headers, signal });
  }
}

const encode = encodeURIComponent;

function lessonPath(classroom: string, lesson: string): string {
  return `classrooms/${encode(classroom)}/lessons/${encode(lesson)}`;
}
