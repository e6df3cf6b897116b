/**
 * What a browser has and jsdom lacks: Node's own fetch, streams and crypto. A test that runs in Node's environment has them already.
 */
import { webcrypto } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import { ReadableStream, TextDecoderStream, TransformStream } from 'node:stream/web';
import { TextDecoder, TextEncoder } from 'node:util';

const lacking = {
  BroadcastChannel,
  ReadableStream,
  TextDecoder,
  TextDecoderStream,
  TextEncoder,
  TransformStream,
  navigator: {}
};
for (const [name, value] of Object.entries(lacking)) {
  if (!(name in globalThis)) {
    Object.defineProperty(globalThis, name, { value });
  }
}
if (typeof globalThis.crypto?.randomUUID !== 'function') {
  Object.defineProperty(globalThis, 'crypto', { value: webcrypto });
}
