/**
 * The side panel: one widget per section, the head on top and the others scrolling below it.
 */
import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';

import { stepsIcon } from '../icons';
import { PANEL_ID } from '../tokens';
import { Achievements } from './achievements';
import { keepFocusInside, returnFocusFromLauncher } from './focus';
import { Head } from './head';
import { Notices } from './notices';
import { Outline } from './outline';
import type { SectionProps } from './sectionProps';

export function createPanel(props: SectionProps): SidePanel {
  const panel = new SidePanel({ content: new Panel() });
  panel.id = PANEL_ID;
  panel.addClass('pmh-Panel');
  panel.title.icon = stepsIcon;
  panel.title.caption = props.trans.__('Lessons');
  panel.node.setAttribute('role', 'region');
  panel.node.setAttribute('aria-label', props.trans.__('Lessons'));
  panel.header.addWidget(ReactWidget.create(<Head {...props} />));
  [<Notices {...props} key="notices" />, <Outline {...props} key="outline" />, <Achievements {...props} key="achievements" />]
    .map(section => ReactWidget.create(section))
    .forEach(widget => panel.content.addWidget(widget));
  keepFocusInside(panel.node);
  returnFocusFromLauncher(panel.node);
  return panel;
}
