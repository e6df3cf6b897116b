/**
 * The values that a test expected and got. Marks the difference between two long values.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type ReactElement } from 'react';

import { findDifference, isWorthComparing, shorten, showInvisible } from './valueText';

interface ValueDiffProps {
  readonly expected: string | null;
  readonly got: string | null;
  readonly trans: TranslationBundle;
}

export function ValueDiff({ expected, got, trans }: ValueDiffProps): ReactElement | null {
  if (expected === null && got === null) {
    return null;
  }
  const expectedText = expected === null ? null : showInvisible(expected);
  const gotText = got === null ? null : showInvisible(got);
  const difference = isWorthComparing(expectedText, gotText)
    ? findDifference(expectedText ?? '', gotText ?? '')
    : null;
  return (
    <dl className="pmh-Values">
      {expectedText !== null && (
        <div>
          <dt>{trans.__('Expected')}</dt>
          <dd>
            <Value
              text={expectedText}
              segments={difference && [difference.before, difference.expected, difference.after]}
              trans={trans}
            />
          </dd>
        </div>
      )}
      {gotText !== null && (
        <div>
          <dt>{trans.__('Got')}</dt>
          <dd>
            <Value
              text={gotText}
              segments={difference && [difference.before, difference.got, difference.after]}
              trans={trans}
            />
          </dd>
        </div>
      )}
    </dl>
  );
}

interface ValueProps {
  readonly text: string;
  /** The text before the difference, the difference, and the text after it; null: nothing is marked. */
  readonly segments: readonly [string, string, string] | null;
  readonly trans: TranslationBundle;
}

function Value({ text, segments, trans }: ValueProps): ReactElement {
  const [isExpanded, setExpanded] = useState(false);
  const shownText = isExpanded ? text : shorten(text);
  const isShortened = shownText !== text;
  return (
    <>
      <code>
        {segments ? (
          <>
            {isShortened ? lastWords(segments[0]) : segments[0]}
            <mark>{isShortened ? shorten(segments[1]) : segments[1]}</mark>
            {isShortened ? firstWords(segments[2]) : segments[2]}
          </>
        ) : (
          shownText
        )}
      </code>
      {(isShortened || isExpanded) && (
        <button type="button" className="pmh-Link" aria-expanded={isExpanded} onClick={() => setExpanded(!isExpanded)}>
          {isExpanded ? trans.__('Show less') : trans.__('Show all')}
        </button>
      )}
    </>
  );
}

/** Characters of the common text that are shown beside a difference. */
const CONTEXT_LENGTH = 24;

function lastWords(text: string): string {
  return text.length > CONTEXT_LENGTH ? `…${text.slice(-CONTEXT_LENGTH)}` : text;
}

function firstWords(text: string): string {
  return text.length > CONTEXT_LENGTH ? `${text.slice(0, CONTEXT_LENGTH)}…` : text;
}
