/**
 * The receipt of a submission: its code, the time, and a file to download as proof.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Notice } from '../components/notice';
import { Prose } from '../components/prose';
import { feedbackText } from '../feedbackTexts';
import { fullTime, timeInSentence } from '../times';
import type { LessonReply, MessageReply, Receipt } from '../wire';

export interface ReceiptProps {
  readonly lesson: LessonReply;
  /** Null: the submission waits in the outbox. */
  readonly receipt: Receipt | null;
  readonly leftOut: readonly MessageReply[];
  /** The classroom's time zone. */
  readonly zone: string;
  readonly trans: TranslationBundle;
}

export function ReceiptView({ lesson, receipt, leftOut, zone, trans }: ReceiptProps): ReactElement {
  if (!receipt) {
    return (
      <div className="pmh-Dialog">
        <p>
          {trans.__(
            'The hub cannot be reached. “%1” is saved on your server and will be submitted automatically when the hub is back. You will get the receipt then.',
            lesson.title
          )}
        </p>
        <LeftOut messages={leftOut} trans={trans} />
      </div>
    );
  }
  return (
    <div className="pmh-Dialog">
      <p>{trans.__('“%1” has been submitted.', lesson.title)}</p>
      <dl className="pmh-Receipt">
        <dt>{trans.__('Receipt')}</dt>
        <dd>
          <code>{receipt.code}</code>
        </dd>
        <dt>{trans.__('Received')}</dt>
        <dd>{fullTime(receipt.received_at, zone)}</dd>
      </dl>
      <button type="button" className="pmh-Button" onClick={() => download(receipt)}>
        {trans.__('Download receipt')}
      </button>
      <LeftOut messages={leftOut} trans={trans} />
      <p>{resubmissionText(lesson, zone, trans)}</p>
    </div>
  );
}

interface LeftOutProps {
  readonly messages: readonly MessageReply[];
  readonly trans: TranslationBundle;
}

/** What was left out of the submission, and why. */
function LeftOut({ messages, trans }: LeftOutProps): ReactElement | null {
  return messages.length === 0 ? null : (
    <Notice icon="needs-attention" title={trans.__('Some files were not submitted')}>
      <ul>
        {messages.map(message => (
          <li key={message.code}>
            <Prose text={feedbackText(trans, message)} />
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function resubmissionText(lesson: LessonReply, zone: string, trans: TranslationBundle): string {
  if (lesson.submissions_left === 0) {
    return trans.__('This was your last submission of this lesson.');
  }
  return lesson.closes_at
    ? trans.__('You can submit again until %1.', timeInSentence(lesson.closes_at, zone, trans))
    : trans.__('You can submit again at any time. Your latest submission counts.');
}

function download(receipt: Receipt): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(receipt, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `receipt-${receipt.lesson}-${receipt.code}.json`;
  link.click();
  URL.revokeObjectURL(url);
}
