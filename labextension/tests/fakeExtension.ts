/**
 * A server that responds as the server extension does, over real HTTP, from a table of routes that a test fills.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';

import type { Connection } from '../src/request';

export type Handler = (request: IncomingMessage, body: unknown, response: ServerResponse) => unknown;

export interface ReceivedRequest {
  readonly route: string;
  readonly query: string;
  readonly body: unknown;
}

export class FakeExtension {
  readonly routes = new Map<string, Handler>();
  readonly requests: ReceivedRequest[] = [];

  static async start(): Promise<FakeExtension> {
    const extension = new FakeExtension();
    await new Promise<void>(resolve => extension._server.listen(0, '127.0.0.1', resolve));
    return extension;
  }

  get connection(): Connection {
    const { port } = this._server.address() as AddressInfo;
    const settings = ServerConnection.makeSettings({
      baseUrl: `http://127.0.0.1:${port}/user/ada/`,
      wsUrl: `ws://127.0.0.1:${port}/user/ada/`,
      fetch: globalThis.fetch,
      Request: globalThis.Request,
      Headers: globalThis.Headers
    });
    return { settings, trans: nullTranslator.load('pmh_jupyter'), retryPausesMs: [1, 1, 1] };
  }

  /** Responds to `METHOD path` with an object as JSON, or with what a handler returns or writes. */
  on(route: string, reply: Handler | object): void {
    this.routes.set(route, typeof reply === 'function' ? (reply as Handler) : () => reply);
  }

  /** Responds to `METHOD path` with an error in the extension's format. */
  fail(route: string, status: number, code: string): void {
    this.on(route, (_request, _body, response) => {
      response.statusCode = status;
      return { code, message: `It is ${code}.`, advice: 'Do this.', request_id: 'r-1', problems: [] };
    });
  }

  stop(): Promise<void> {
    this._server.closeAllConnections();
    return new Promise(resolve => this._server.close(() => resolve()));
  }

  private async _handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').replace('/user/ada/pmh/api/', '').split('?');
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text ? JSON.parse(text) : null;
    const route = `${request.method} ${path}`;
    this.requests.push({ route, query, body });
    const handler = this.routes.get(route);
    if (!handler) {
      response.statusCode = 404;
    }
    const reply = handler ? await handler(request, body, response) : '<html>not found</html>';
    if (reply !== undefined) {
      response.end(typeof reply === 'string' ? reply : JSON.stringify(reply));
    }
  }

  private readonly _server: Server = createServer((request, response) => void this._handle(request, response));
}
