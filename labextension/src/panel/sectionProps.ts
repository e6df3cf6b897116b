/**
 * The properties of every section of the panel.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Actions } from '../actions';
import type { ClassroomModel } from '../model';

export interface SectionProps {
  readonly model: ClassroomModel;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}
