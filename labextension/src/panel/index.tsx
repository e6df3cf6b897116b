/**
 * The side panel: one widget a section, head above and the rest scrolling below it.
 */
import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';

import { stepsIcon } from '../icons';
import { PANEL_ID } from '../tokens';
import { Awards } from './awards';
import { Head, type SectionProps } from './head';
import { Notices } from './notices';
import { Outline } from './outline';

/** Puts the focus on what there is to do: the join code, the lesson to go on with, else whatever comes first. */
export function focusPanel({ node }: SidePanel): void {
  const target = node.querySelector<HTMLElement>('input, .pmh-Primary') ?? node.querySelector<HTMLElement>('button');
  target?.focus();
}

export function createPanel(props: SectionProps): SidePanel {
  const panel = new SidePanel({ content: new Panel() });
  panel.id = PANEL_ID;
  panel.addClass('pmh-Panel');
  panel.title.icon = stepsIcon;
  panel.title.caption = props.trans.__('Lessons');
  panel.node.setAttribute('role', 'region');
  panel.node.setAttribute('aria-label', props.trans.__('Lessons'));
  panel.header.addWidget(ReactWidget.create(<Head {...props} />));
  [<Notices {...props} key="notices" />, <Outline {...props} key="outline" />, <Awards {...props} key="awards" />]
    .map(section => ReactWidget.create(section))
    .forEach(widget => panel.content.addWidget(widget));
  return panel;
}
