/**
 * A value that a test expected or got, and the comparison of two long ones.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type ReactElement } from 'react';

import { cut, difference, visible, worthComparing } from './values';

interface ValuesProps {
  readonly expected: string | null;
  readonly got: string | null;
  readonly trans: TranslationBundle;
}

export function Values({ expected, got, trans }: ValuesProps): ReactElement | null {
  if (expected === null && got === null) {
    return null;
  }
  const wanted = expected === null ? null : visible(expected);
  const given = got === null ? null : visible(got);
  const compared = worthComparing(wanted, given) ? difference(wanted ?? '', given ?? '') : null;
  return (
    <dl className="pmh-Values">
      {wanted !== null && (
        <div>
          <dt>{trans.__('expected')}</dt>
          <dd>
            <Value text={wanted} marked={compared && [compared.before, compared.expected, compared.after]} trans={trans} />
          </dd>
        </div>
      )}
      {given !== null && (
        <div>
          <dt>{trans.__('got')}</dt>
          <dd>
            <Value text={given} marked={compared && [compared.before, compared.got, compared.after]} trans={trans} />
          </dd>
        </div>
      )}
    </dl>
  );
}

interface ValueProps {
  readonly text: string;
  /** Before, differing part, after; null: the value is not compared. */
  readonly marked: readonly [string, string, string] | null;
  readonly trans: TranslationBundle;
}

function Value({ text, marked, trans }: ValueProps): ReactElement {
  const [whole, setWhole] = useState(false);
  const shown = whole ? text : cut(text);
  const isCut = shown !== text;
  return (
    <>
      <code>
        {marked ? (
          <>
            {isCut ? tail(marked[0]) : marked[0]}
            <mark>{isCut ? cut(marked[1]) : marked[1]}</mark>
            {isCut ? head(marked[2]) : marked[2]}
          </>
        ) : (
          shown
        )}
      </code>
      {(isCut || whole) && (
        <button type="button" className="pmh-Link" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? trans.__('Show less') : trans.__('Show all')}
        </button>
      )}
    </>
  );
}

/** Around a difference a few words are enough to find one's way. */
const CONTEXT = 24;

function tail(text: string): string {
  return text.length > CONTEXT ? `…${text.slice(-CONTEXT)}` : text;
}

function head(text: string): string {
  return text.length > CONTEXT ? `${text.slice(0, CONTEXT)}…` : text;
}
