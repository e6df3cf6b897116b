/**
 * Adds what browsers have and jsdom lacks: Node's fetch, streams and crypto. Node's own test environment has them already.
 */
import { webcrypto } from 'node:crypto';
import { BroadcastChannel } from 'node:worker_threads';
import { ReadableStream, TextDecoderStream, TransformStream } from 'node:stream/web';
import { TextDecoder, TextEncoder } from 'node:util';

// Lumino's and JupyterLab's widgets use these when they are loaded; their results do not matter here.
const DragEvent = Event;
const matchMedia = () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined });

const missingGlobals = {
  BroadcastChannel,
  DragEvent,
  ReadableStream,
  TextDecoder,
  TextDecoderStream,
  TextEncoder,
  TransformStream,
  matchMedia,
  requestIdleCallback: (callback: () => void) => setTimeout(callback),
  navigator: {}
};
for (const [name, value] of Object.entries(missingGlobals)) {
  if (!(name in globalThis)) {
    Object.defineProperty(globalThis, name, { value });
  }
}
if (typeof globalThis.crypto?.randomUUID !== 'function') {
  Object.defineProperty(globalThis, 'crypto', { value: webcrypto });
}
