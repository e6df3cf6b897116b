/**
 * Icons of states, outcomes and achievements, 16 by 16, in the color of the surrounding text. A screen reader ignores them, so a label
 * is always beside them. Icons of states and outcomes are generated (labels.ts), so that the pages show the same ones.
 */
import type { ReactElement } from 'react';

import { ICONS, type IconPath } from '../labels';

const RING = ICONS['not-started'][0];

/** Icons that a course may choose for an achievement, and those of notices. */
const OTHER_ICONS = {
  star: [line('m8 2 1.8 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5z')],
  spark: [line('M8 2.5v3m0 5v3M2.5 8h3m5 0h3M4.1 4.1l1.7 1.7m4.4 4.4 1.7 1.7m0-7.8-1.7 1.7m-4.4 4.4-1.7 1.7')],
  flame: [
    line(
      'M8 14c-2.6 0-4.3-1.7-4.3-4.1C3.7 7 6.5 5.8 6.7 2c2.5 1.3 3.3 3.2 3 5 .7-.3 1.1-.9 1.2-1.6.9 1.2 1.4 2.6 1.4 4.2C12.3 12.3 10.6 14 8 14z'
    )
  ],
  book: [line('M8 4.5C6.5 3.3 4.5 3 2.5 3v9c2 0 4 .3 5.5 1.5C9.5 12.3 11.5 12 13.5 12V3c-2 0-4 .3-5.5 1.5zm0 0v9')],
  trophy: [line('M5 2.5h6V6a3 3 0 0 1-6 0zM5 4H2.5c0 2 1 3 2.5 3m6-3h2.5c0 2-1 3-2.5 3M8 9v3m-2.5 1.5h5')],
  seedling: [line('M8 14V8m0 1C8 6 6 4.5 3 4.5 3 7.5 5 9 8 9zm0-1.5C8 5 9.5 3 13 3c0 3-1.5 4.5-5 4.5z')],
  target: [RING, { d: 'M8 6a2 2 0 1 1 0 4a2 2 0 0 1 0-4z', style: 'fill' }],
  offline: [line('M2 6.2c1.4-1.3 3.1-2.1 5-2.3m2.6.1c1.7.3 3.2 1 4.4 2.2M4.3 8.7c.7-.7 1.6-1.2 2.6-1.4m3.2.4c.6.3 1.1.6 1.6 1M8 12v.1M3 2.5l10 11')]
} as const satisfies Record<string, readonly IconPath[]>;

const ALL_ICONS = { ...ICONS, ...OTHER_ICONS };

export type IconName = keyof typeof ALL_ICONS;

/** The icon that a course names for an achievement, or `fallback` where there is no icon of that name. */
export function findIconName(name: string, fallback: IconName): IconName {
  return Object.hasOwn(OTHER_ICONS, name) ? (name as IconName) : fallback;
}

export function Icon({ name }: { name: IconName }): ReactElement {
  const paths: readonly IconPath[] = ALL_ICONS[name];
  return (
    <svg className="pmh-Icon" data-icon={name} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {paths.map(({ d, style }) => (
        <path key={d} d={d} data-style={style} />
      ))}
    </svg>
  );
}

function line(d: string): IconPath {
  return { d, style: 'line' };
}
