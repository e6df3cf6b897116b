import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer } from 'react';

/** Renders the component again whenever the signal is emitted. */
export function useSignal<S, A>(signal: ISignal<S, A>): void {
  const [, rerender] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const slot = () => rerender();
    signal.connect(slot);
    // The signal may have been emitted between the first rendering and this effect.
    rerender();
    return () => {
      signal.disconnect(slot);
    };
  }, [signal]);
}
