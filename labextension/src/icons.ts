/**
 * The panel's own icon: stairs. Other icons are JupyterLab's, if it has one; those of states and outcomes are in
 * components/icon.tsx, because they take the color of the text beside them.
 */
import { LabIcon } from '@jupyterlab/ui-components';

export const stepsIcon = new LabIcon({
  name: 'pmh-jupyter:steps',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M3 20v-4.5h5V11h5V6.5h5V3h3v17z"/>
</svg>`
});
