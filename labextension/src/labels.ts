// Generated from pmh_jupyter/domain/labels.py by `python -m pmh_jupyter.wire.typescript`; do not edit.
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ExerciseReply, VerdictReply } from './wire';

export type ProgressState = ExerciseReply['state'];
export type Outcome = VerdictReply['outcome'];

export function stateLabel(progressState: ProgressState, trans: TranslationBundle): string {
  switch (progressState) {
    case 'not-started':
      return trans.__('Not started');
    case 'in-progress':
      return trans.__('In progress');
    case 'grading':
      return trans.__('Being graded');
    case 'done':
      return trans.__('Done');
    case 'needs-attention':
      return trans.__('Needs attention');
  }
}

export function outcomeLabel(outcome: Outcome, trans: TranslationBundle): string {
  switch (outcome) {
    case 'passed':
      return trans.__('Passed');
    case 'failed':
      return trans.__('Not yet');
    case 'crashed':
      return trans.__('Crashed');
    case 'timed-out':
      return trans.__('Timed out');
    case 'not-checked':
      return trans.__('Not checked');
    case 'needs-grading':
      return trans.__('Awaiting manual grading');
    case 'grader-error':
      return trans.__('Grader failed');
  }
}

/** One path of an icon on a canvas of 16 by 16 units; a cutout is drawn in the color of the background. */
export interface IconPath {
  readonly d: string;
  readonly style: 'line' | 'dashed' | 'fill' | 'cutout';
}

export const ICONS = {
  'not-started': [{ d: 'M8 2.75a5.25 5.25 0 1 1 0 10.5a5.25 5.25 0 0 1 0-10.5z', style: 'line' }],
  'in-progress': [{ d: 'M8 2.75a5.25 5.25 0 1 1 0 10.5a5.25 5.25 0 0 1 0-10.5z', style: 'line' }, { d: 'M8 2.75a5.25 5.25 0 0 1 0 10.5z', style: 'fill' }],
  'grading': [{ d: 'M4.5 2.5h7m-7 11h7M5.5 2.5c0 3 5 4 5 5.5s-5 2.5-5 5.5m5-11c0 3-5 4-5 5.5s5 2.5 5 5.5', style: 'line' }],
  'done': [{ d: 'M8 2a6 6 0 1 1 0 12a6 6 0 0 1 0-12z', style: 'fill' }, { d: 'm5.2 8.2 2 2 3.6-4', style: 'cutout' }],
  'needs-attention': [{ d: 'M8 2.75a5.25 5.25 0 1 1 0 10.5a5.25 5.25 0 0 1 0-10.5z', style: 'line' }, { d: 'M8 5v3.6m0 2.2v.1', style: 'line' }],
  'passed': [{ d: 'm3.5 8.5 3 3 6-7', style: 'line' }],
  'failed': [{ d: 'm4.5 4.5 7 7m0-7-7 7', style: 'line' }],
  'crashed': [{ d: 'M9 2 4.5 9H8l-1 5 4.5-7H8z', style: 'line' }],
  'timed-out': [{ d: 'M8 2.75a5.25 5.25 0 1 1 0 10.5a5.25 5.25 0 0 1 0-10.5z', style: 'line' }, { d: 'M8 5v3l2 1.5', style: 'line' }],
  'not-checked': [{ d: 'M8 2.75a5.25 5.25 0 1 1 0 10.5a5.25 5.25 0 0 1 0-10.5z', style: 'dashed' }],
  'needs-grading': [{ d: 'M3 13h2.5L12.5 6 10 3.5 3 10.5zM8.5 5 11 7.5', style: 'line' }],
  'grader-error': [{ d: 'M8 2.75a5.25 5.25 0 1 1 0 10.5a5.25 5.25 0 0 1 0-10.5z', style: 'line' }, { d: 'M8 7.4V11m0-6.1V5', style: 'line' }],
} as const satisfies Record<ProgressState | Outcome, readonly IconPath[]>;
