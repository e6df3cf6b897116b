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
  /** Pauses before each further look when something else answered in the server's place; a test puts its own here. Milliseconds. */
  readonly pauses?: readonly number[];
}

/** For about half a second after a server has gone, a hub or a proxy says anything in its place; on a busy machine for longer. */
const PAUSES = [400, 800, 1_600] as const;

/** Sends a request to `path` below the extension's API and gives its answer, unread; raises PmhError. */
export async function send(connection: Connection, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await ask(connection, path, init);
  if (response.ok && !elsewhere(response)) {
    return response;
  }
  const reply = await errorReply(response);
  if (reply) {
    throw new PmhError(reply.code, reply.message, reply.advice, reply.request_id);
  }
  throw await foreign(connection, response, init);
}

async function ask(connection: Connection, path: string, init: RequestInit): Promise<Response> {
  const url = URLExt.join(connection.settings.baseUrl, 'pmh/api', path);
  try {
    return await ServerConnection.makeRequest(url, init, connection.settings);
  } catch (reason) {
    if (init.signal?.aborted) {
      throw reason;
    }
    throw unreachable(connection.trans);
  }
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

type Meaning = 'not-logged-in' | 'not-installed' | 'unreachable' | 'internal';

/**
 * What an answer means that did not come from us. What may pass is believed only when it stays so: the extension is asked for its
 * status again and again, and if that cannot be had, or comes as it should, the answer before was of a moment in which the server
 * was away.
 */
async function foreign(connection: Connection, response: Response, init: RequestInit): Promise<PmhError> {
  let last = response;
  for (const pause of passing(last) ? (connection.pauses ?? PAUSES) : []) {
    await new Promise(resolve => setTimeout(resolve, pause));
    try {
      last = await ask(connection, 'status', { signal: init.signal ?? null });
    } catch (reason) {
      return asPmhError(reason);
    }
    if ((last.ok && !elsewhere(last)) || (await errorReply(last.clone()))) {
      return unreachable(connection.trans);
    }
    if (!passing(last)) {
      break;
    }
  }
  return told(meaning(last), connection.trans);
}

function meaning(response: Response): Meaning {
  if (elsewhere(response)) {
    return /\/hub\/(login|oauth_login|api\/oauth2\/)/.test(new URL(response.url).pathname) ? 'not-logged-in' : 'unreachable';
  }
  switch (response.status) {
    case 401:
    case 403:
      return 'not-logged-in';
    case 404:
      return 'not-installed';
    // JupyterHub's answer in place of a server that is not running.
    case 424:
    case 502:
    case 503:
    case 504:
      return 'unreachable';
    default:
      return 'internal';
  }
}

/** Whether the next answer may well be another: any but that of a missing server, of Jupyter's own log-in, and the way to the hub's. */
function passing(response: Response): boolean {
  const what = meaning(response);
  const certain = elsewhere(response) || response.headers.get('Content-Type')?.includes('application/json');
  return what !== 'unreachable' && !(what === 'not-logged-in' && certain);
}

/** Whether it was led away from our routes; none of them redirects. */
function elsewhere(response: Response): boolean {
  return response.redirected && !response.url.includes('/pmh/api/');
}

function told(what: Meaning, trans: TranslationBundle): PmhError {
  switch (what) {
    case 'not-logged-in':
      return new PmhError(
        what,
        trans.__('Your session has ended.'),
        trans.__('Save your work, then reload this page and log in again.')
      );
    case 'not-installed':
      return new PmhError(
        what,
        trans.__('This notebook server does not know about classrooms.'),
        trans.__('Restart your server from the hub’s control panel; if it stays, tell whoever runs this hub.')
      );
    case 'unreachable':
      return unreachable(trans);
    case 'internal':
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
