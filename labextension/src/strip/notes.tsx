/**
 * What was left out of the submission, and what was repaired in it. Many notes start folded, so that the verdict stays in view.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Prose } from '../components/prose';
import { feedbackText } from '../feedbackTexts';
import type { MessageReply } from '../wire';

const MAX_UNFOLDED_NOTES = 3;

interface NotesProps {
  readonly messages: readonly MessageReply[];
  readonly trans: TranslationBundle;
}

export function Notes({ messages, trans }: NotesProps): ReactElement | null {
  if (messages.length === 0) {
    return null;
  }
  const list = (
    <ul className="pmh-Notes-list">
      {messages.map((message, index) => (
        <li key={index}>
          <Prose text={feedbackText(trans, message)} />
        </li>
      ))}
    </ul>
  );
  return messages.length <= MAX_UNFOLDED_NOTES ? (
    <div className="pmh-Notes">{list}</div>
  ) : (
    <details className="pmh-Notes">
      <summary>{trans.__('%1 notes on your files and cells', messages.length)}</summary>
      {list}
    </details>
  );
}
