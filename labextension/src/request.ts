/**
 * Requests to the server extension. Every failure is a PmhError: a code for programs, a message and advice for the reader.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ErrorReply } from './wire';

export class PmhError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly advice: string,
    readonly requestId = ''
  ) {
    super(message);
    this.name = 'PmhError';
  }

  /** True where nothing was refused and only the way to the hub is missing. */
  get offline(): boolean {
    return this.kept || this.code === 'unreachable';
  }

  /** True where the notebook server is there, and keeps what is meant for the hub. */
  get kept(): boolean {
    return this.code === 'unavailable';
  }
}

/** A failure that can be told; anything else is a fault in this program, and raised on. */
export function asPmhError(error: unknown): PmhError {
  if (error instanceof PmhError) {
    return error;
  }
  throw error;
}

export interface Connection {
  readonly settings: ServerConnection.ISettings;
  readonly trans: TranslationBundle;
}

/** Sends a request to `path` below the extension's API and gives its answer, unread; raises PmhError. */
export async function send(connection: Connection, path: string, init: RequestInit = {}): Promise<Response> {
  const url = URLExt.join(connection.settings.baseUrl, 'pmh/api', path);
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, connection.settings);
  } catch (reason) {
    if (init.signal?.aborted) {
      throw reason;
    }
    throw unreachable(connection.trans);
  }
  if (!response.ok) {
    throw await refusal(response, connection.trans);
  }
  return response;
}

/** As `send`, with JSON both ways; a 204 gives undefined, which the caller's type must say. */
export async function request<T>(connection: Connection, path: string, init: RequestInit = {}): Promise<T> {
  const response = await send(connection, path, init);
  if (response.status === 204) {
    return undefined as T;
  }
  try {
    return (await response.json()) as T;
  } catch {
    throw unreadable(connection.trans);
  }
}

export function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body) };
}

async function refusal(response: Response, trans: TranslationBundle): Promise<PmhError> {
  const reply = await errorReply(response);
  if (reply) {
    return new PmhError(reply.code, reply.message, reply.advice, reply.request_id);
  }
  // An answer without our shape did not come from us: the server itself, or a proxy before it.
  switch (response.status) {
    case 401:
    case 403:
      return new PmhError(
        'not-logged-in',
        trans.__('Your session has ended.'),
        trans.__('Save your work, then reload this page and log in again.')
      );
    case 404:
      return new PmhError(
        'not-installed',
        trans.__('This notebook server does not know about classrooms.'),
        trans.__('Restart your server from the hub’s control panel; if it stays, tell whoever runs this hub.')
      );
    // JupyterHub's answer in place of a server that is not running.
    case 424:
    case 502:
    case 503:
    case 504:
      return unreachable(trans);
    default:
      return unreadable(trans);
  }
}

async function errorReply(response: Response): Promise<ErrorReply | null> {
  try {
    const reply = (await response.json()) as Partial<ErrorReply>;
    return typeof reply.code === 'string' && typeof reply.message === 'string'
      ? { advice: '', request_id: '', problems: [], ...reply, code: reply.code, message: reply.message }
      : null;
  } catch {
    return null;
  }
}

function unreachable(trans: TranslationBundle): PmhError {
  return new PmhError(
    'unreachable',
    trans.__('Your notebook server does not answer.'),
    trans.__('Check your connection. If the server was stopped, start it again from the hub’s control panel.')
  );
}

function unreadable(trans: TranslationBundle): PmhError {
  return new PmhError(
    'internal',
    trans.__('The answer could not be understood.'),
    trans.__('Try again; if it stays, tell whoever runs this hub.')
  );
}
