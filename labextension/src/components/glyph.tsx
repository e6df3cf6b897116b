/**
 * The small pictures of states, outcomes and achievements, 16 by 16, in the colour of the text around them. They say nothing by
 * themselves to a screen reader: a word always stands beside them.
 */
import type { ReactElement } from 'react';

const LINE = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.5, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;
const RING = <circle cx="8" cy="8" r="5.25" {...LINE} />;

const PICTURES = {
  done: (
    <>
      <circle cx="8" cy="8" r="6" fill="currentColor" />
      <path d="m5.2 8.2 2 2 3.6-4" {...LINE} stroke="var(--jp-layout-color1)" />
    </>
  ),
  begun: (
    <>
      {RING}
      <path d="M8 2.75a5.25 5.25 0 0 1 0 10.5z" fill="currentColor" />
    </>
  ),
  new: RING,
  grading: <path d="M4.5 2.5h7m-7 11h7M5.5 2.5c0 3 5 4 5 5.5s-5 2.5-5 5.5m5-11c0 3-5 4-5 5.5s5 2.5 5 5.5" {...LINE} />,
  attention: (
    <>
      {RING}
      <path d="M8 5v3.6m0 2.2v.1" {...LINE} />
    </>
  ),
  passed: <path d="m3.5 8.5 3 3 6-7" {...LINE} strokeWidth="2" />,
  failed: <path d="m4.5 4.5 7 7m0-7-7 7" {...LINE} strokeWidth="2" />,
  crashed: <path d="M9 2 4.5 9H8l-1 5 4.5-7H8z" {...LINE} />,
  'timed-out': (
    <>
      {RING}
      <path d="M8 5v3l2 1.5" {...LINE} />
    </>
  ),
  'not-checked': <circle cx="8" cy="8" r="5.25" {...LINE} strokeDasharray="1.6 2.5" />,
  'needs-grading': <path d="M3 13h2.5L12.5 6 10 3.5 3 10.5zM8.5 5 11 7.5" {...LINE} />,
  'grader-error': (
    <>
      {RING}
      <path d="M8 7.4V11m0-6.1V5" {...LINE} />
    </>
  ),
  star: <path d="m8 2 1.8 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5z" {...LINE} />,
  spark: <path d="M8 2.5v3m0 5v3M2.5 8h3m5 0h3M4.1 4.1l1.7 1.7m4.4 4.4 1.7 1.7m0-7.8-1.7 1.7m-4.4 4.4-1.7 1.7" {...LINE} />,
  flame: <path d="M8 14c-2.6 0-4.3-1.7-4.3-4.1C3.7 7 6.5 5.8 6.7 2c2.5 1.3 3.3 3.2 3 5 .7-.3 1.1-.9 1.2-1.6.9 1.2 1.4 2.6 1.4 4.2C12.3 12.3 10.6 14 8 14z" {...LINE} />,
  book: <path d="M8 4.5C6.5 3.3 4.5 3 2.5 3v9c2 0 4 .3 5.5 1.5C9.5 12.3 11.5 12 13.5 12V3c-2 0-4 .3-5.5 1.5zm0 0v9" {...LINE} />,
  trophy: <path d="M5 2.5h6V6a3 3 0 0 1-6 0zM5 4H2.5c0 2 1 3 2.5 3m6-3h2.5c0 2-1 3-2.5 3M8 9v3m-2.5 1.5h5" {...LINE} />,
  seedling: <path d="M8 14V8m0 1C8 6 6 4.5 3 4.5 3 7.5 5 9 8 9zm0-1.5C8 5 9.5 3 13 3c0 3-1.5 4.5-5 4.5z" {...LINE} />,
  target: (
    <>
      {RING}
      <circle cx="8" cy="8" r="2" fill="currentColor" />
    </>
  )
} as const;

export type GlyphName = keyof typeof PICTURES;

/** A course names its achievements' icons itself; one that we do not have becomes a star. */
export function glyphOr(name: string, fallback: GlyphName): GlyphName {
  return name in PICTURES ? (name as GlyphName) : fallback;
}

export function Glyph({ name }: { name: GlyphName }): ReactElement {
  return (
    <svg className="pmh-Glyph" data-glyph={name} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {PICTURES[name]}
    </svg>
  );
}
