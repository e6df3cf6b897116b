/**
 * Requests to the server extension. Every failure is a PmhError with a code for programs, and a message and advice for the reader.
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

  /** Whether the notebook server or the hub could not be reached. Nothing was rejected. */
  get isOffline(): boolean {
    return this.isHubUnavailable || this.code === 'unreachable';
  }

  /** Whether the notebook server responds but the hub is unavailable. The server then keeps submissions in its outbox. */
  get isHubUnavailable(): boolean {
    return this.code === 'unavailable';
  }
}

/** Returns an error that can be shown to the user; throws any other error, which is a bug in this program. */
export function asPmhError(error: unknown): PmhError {
  rethrowUnlessPmhError(error);
  return error;
}

/** Throws the error again if it is a bug in this program. */
export function rethrowUnlessPmhError(error: unknown): asserts error is PmhError {
  if (!(error instanceof PmhError)) {
    throw error;
  }
}

export interface Connection {
  readonly settings: ServerConnection.ISettings;
  readonly trans: TranslationBundle;
  /** Pauses before each retry, in milliseconds; tests replace them. */
  readonly retryPausesMs?: readonly number[];
}

/**
 * After a server has stopped, a hub or a proxy responds instead with varying errors, for about half a second or longer. A browser ends all
 * requests when the computer's network changes, for example from one Wi-Fi network to another.
 */
const RETRY_PAUSES_MS = [400, 800, 1_600] as const;

/**
 * Sends a request to `path` below the extension's API and returns the response, unread; raises PmhError.
 *
 * A request without a response is sent again. This is safe: every route of the extension may be called twice, and a submission has an id.
 */
export async function send(connection: Connection, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetchWithRetries(connection, path, init);
  if (response.ok && !wasRedirectedAway(response)) {
    return response;
  }
  const reply = await readErrorReply(response);
  if (reply) {
    throw new PmhError(reply.code, reply.message, reply.advice, reply.request_id);
  }
  throw await classifyForeignResponse(connection, response, init);
}

async function fetchWithRetries(connection: Connection, path: string, init: RequestInit): Promise<Response> {
  for (const pauseMs of getRetryPausesMs(connection)) {
    try {
      return await fetchFromServer(connection, path, init);
    } catch (reason) {
      rethrowUnlessPmhError(reason);
      await pause(pauseMs);
    }
  }
  return fetchFromServer(connection, path, init);
}

async function fetchFromServer(connection: Connection, path: string, init: RequestInit): Promise<Response> {
  const url = URLExt.join(connection.settings.baseUrl, 'pmh/api', path);
  try {
    return await ServerConnection.makeRequest(url, init, connection.settings);
  } catch (reason) {
    if (init.signal?.aborted) {
      throw reason;
    }
    throw createUnreachableError(connection.trans);
  }
}

/** As `send`, and returns the JSON of the response; undefined for a 204, which the caller's type must include. */
export async function request<T>(connection: Connection, path: string, init: RequestInit = {}): Promise<T> {
  const response = await send(connection, path, init);
  if (response.status === 204) {
    return undefined as T;
  }
  try {
    return (await response.json()) as T;
  } catch {
    throw createUnreadableError(connection.trans);
  }
}

export function makePost(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body) };
}

function getRetryPausesMs(connection: Connection): readonly number[] {
  return connection.retryPausesMs ?? RETRY_PAUSES_MS;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

type ForeignErrorCode = 'not-logged-in' | 'not-installed' | 'unreachable' | 'internal';

/**
 * Returns the error for a response that the extension did not send.
 *
 * A response that may be temporary counts only if it persists: the status of the extension is requested several times. If the extension
 * responds, or cannot be reached, the server was unavailable during the first request.
 */
async function classifyForeignResponse(
  connection: Connection,
  response: Response,
  init: RequestInit
): Promise<PmhError> {
  let latestResponse = response;
  for (const pauseMs of mayBeTemporary(latestResponse) ? getRetryPausesMs(connection) : []) {
    await pause(pauseMs);
    try {
      latestResponse = await fetchFromServer(connection, 'status', { signal: init.signal ?? null });
    } catch (reason) {
      return asPmhError(reason);
    }
    if ((latestResponse.ok && !wasRedirectedAway(latestResponse)) || (await readErrorReply(latestResponse.clone()))) {
      return createUnreachableError(connection.trans);
    }
    if (!mayBeTemporary(latestResponse)) {
      break;
    }
  }
  return createForeignError(findForeignErrorCode(latestResponse), connection.trans);
}

function findForeignErrorCode(response: Response): ForeignErrorCode {
  if (wasRedirectedAway(response)) {
    return /\/hub\/(login|oauth_login|api\/oauth2\/)/.test(new URL(response.url).pathname) ? 'not-logged-in' : 'unreachable';
  }
  switch (response.status) {
    case 401:
    case 403:
      return 'not-logged-in';
    case 404:
      return 'not-installed';
    // JupyterHub's response in place of a server that is not running.
    case 424:
    case 502:
    case 503:
    case 504:
      return 'unreachable';
    default:
      return 'internal';
  }
}

/**
 * Whether the next response may differ. It does not if the server is known to be missing, if Jupyter itself refuses the log-in (in
 * JSON), or if the response was redirected to the hub's log-in page.
 */
function mayBeTemporary(response: Response): boolean {
  const code = findForeignErrorCode(response);
  const isCertain = wasRedirectedAway(response) || response.headers.get('Content-Type')?.includes('application/json');
  return code !== 'unreachable' && !(code === 'not-logged-in' && isCertain);
}

/** Whether the request was redirected to another program; none of the extension's routes redirects. */
function wasRedirectedAway(response: Response): boolean {
  return response.redirected && !response.url.includes('/pmh/api/');
}

function createForeignError(code: ForeignErrorCode, trans: TranslationBundle): PmhError {
  switch (code) {
    case 'not-logged-in':
      return new PmhError(
        code,
        trans.__('Your session has expired.'),
        trans.__('Save your work, then reload this page and log in again.')
      );
    case 'not-installed':
      return new PmhError(
        code,
        trans.__('Classrooms are not set up on this notebook server.'),
        trans.__('Restart your server from the hub’s control panel. If the problem persists, contact your hub administrator.')
      );
    case 'unreachable':
      return createUnreachableError(trans);
    case 'internal':
      return createUnreadableError(trans);
  }
}

async function readErrorReply(response: Response): Promise<ErrorReply | null> {
  try {
    const reply = (await response.json()) as Partial<ErrorReply>;
    return typeof reply.code === 'string' && typeof reply.message === 'string'
      ? { advice: '', request_id: '', problems: [], ...reply, code: reply.code, message: reply.message }
      : null;
  } catch {
    return null;
  }
}

function createUnreachableError(trans: TranslationBundle): PmhError {
  return new PmhError(
    'unreachable',
    trans.__('Your notebook server does not respond.'),
    trans.__('Check your connection. If the server was stopped, start it again from the hub’s control panel.')
  );
}

function createUnreadableError(trans: TranslationBundle): PmhError {
  return new PmhError(
    'internal',
    trans.__('The server sent a response that could not be read.'),
    trans.__('Try again. If the problem persists, contact your hub administrator.')
  );
}
