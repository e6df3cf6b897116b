/**
 * A server that answers as the server extension would, over real HTTP, from a table that a test fills.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';

import type { Connection } from '../src/request';

export type Answer = (request: IncomingMessage, body: unknown, response: ServerResponse) => unknown;

export class Extension {
  readonly routes = new Map<string, Answer>();
  readonly asked: { readonly route: string; readonly query: string; readonly body: unknown }[] = [];

  static async start(): Promise<Extension> {
    const extension = new Extension();
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
    return { settings, trans: nullTranslator.load('pmh_jupyter'), pauses: [1, 1, 1] };
  }

  /** Answers `METHOD path` with JSON, or with whatever `answer` does to the response. */
  on(route: string, answer: Answer | object): void {
    this.routes.set(route, typeof answer === 'function' ? (answer as Answer) : () => answer);
  }

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

  private async _answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').replace('/user/ada/pmh/api/', '').split('?');
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text ? JSON.parse(text) : null;
    const route = `${request.method} ${path}`;
    this.asked.push({ route, query, body });
    const answer = this.routes.get(route);
    if (!answer) {
      response.statusCode = 404;
    }
    const reply = answer ? await answer(request, body, response) : '<html>not here</html>';
    if (reply !== undefined) {
      response.end(typeof reply === 'string' ? reply : JSON.stringify(reply));
    }
  }

  private readonly _server: Server = createServer((request, response) => void this._answer(request, response));
}
