/**
 * The server extension's routes, one method each: see "The server extension's API" in docs/architecture.md. Every method raises PmhError.
 */
import { makePost, request, send, type Connection } from './request';
import type {
  ClassroomReply,
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

  fetchMe(): Promise<MeReply> {
    return request(this._connection, 'me');
  }

  join(code: string): Promise<ClassroomReply> {
    return request(this._connection, 'join', makePost({ join_code: code }));
  }

  fetchOutline(classroom: string): Promise<OutlineReply> {
    return request(this._connection, `classrooms/${encode(classroom)}/outline`);
  }

  fetchSubmissions(classroom: string, lesson: string): Promise<SubmissionListReply> {
    return request(this._connection, `classrooms/${encode(classroom)}/submissions?lesson=${encode(lesson)}`);
  }

  fetchSubmission(id: string): Promise<SubmissionReply> {
    return request(this._connection, `submissions/${encode(id)}`);
  }

  /** `unsavedNotebooks`: server paths of notebooks with unsaved changes, which are not merged now. */
  openLesson(classroom: string, lesson: string, unsavedNotebooks: readonly string[]): Promise<OpenLessonReply> {
    const body = { unsaved_notebooks: unsavedNotebooks };
    return request(this._connection, `${makeLessonPath(classroom, lesson)}/open`, makePost(body));
  }

  postCheck(classroom: string, lesson: string, id: string, exercises: readonly string[]): Promise<LabSubmissionReply> {
    return request(this._connection, `${makeLessonPath(classroom, lesson)}/checks`, makePost({ id, exercises }));
  }

  postSubmission(classroom: string, lesson: string, id: string): Promise<LabSubmissionReply> {
    return request(this._connection, `${makeLessonPath(classroom, lesson)}/submissions`, makePost({ id }));
  }

  fetchOutbox(): Promise<OutboxReply> {
    return request(this._connection, 'outbox');
  }

  sendOutbox(): Promise<OutboxReply> {
    return request(this._connection, 'outbox/send', makePost({}));
  }

  deleteRejected(id: string): Promise<void> {
    return request(this._connection, `outbox/${encode(id)}`, { method: 'DELETE' });
  }

  /** Opens the event stream after the event numbered `after`. */
  openEventStream(classroom: string, after: number, signal: AbortSignal): Promise<Response> {
    const headers = { Accept: 'text/event-stream', 'Last-Event-ID': String(after) };
    return send(this._connection, `classrooms/${encode(classroom)}/events?after=${after}`, { headers, signal });
  }
}

const encode = encodeURIComponent;

function makeLessonPath(classroom: string, lesson: string): string {
  return `classrooms/${encode(classroom)}/lessons/${encode(lesson)}`;
}
