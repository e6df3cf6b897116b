import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer } from 'react';

/** Renders the component again whenever the signal is emitted. */
export function useChanged<S, A>(signal: ISignal<S, A>): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const slot = () => again();
    signal.connect(slot);
    // What changed between the first rendering and this effect was not heard.
    again();
    return () => {
      signal.disconnect(slot);
    };
  }, [signal]);
}
