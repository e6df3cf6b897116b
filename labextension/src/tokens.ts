/**
 * The token that other plugins can require, and ids that several files use.
 */
import { Token } from '@lumino/coreutils';

import type { ClassroomModel } from './model';

export const PLUGIN_ID = 'pmh-jupyter:plugin';
export const PANEL_ID = 'pmh-panel';

/** The classroom that this browser tab shows. */
export const IClassroomModel = new Token<ClassroomModel>(
  'pmh-jupyter:IClassroomModel',
  'The classroom of this tab, its lessons and the submissions of the person who is logged in.'
);

export const CommandIDs = {
  openPanel: 'pmh:open-panel',
  checkExercise: 'pmh:check-exercise',
  submitLesson: 'pmh:submit-lesson',
  openNextLesson: 'pmh:open-next-lesson',
  refresh: 'pmh:refresh'
} as const;
