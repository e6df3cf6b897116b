/**
 * The receipt: a code, a time, and the file that proves it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { wholeTime } from '../times';
import type { LessonReply, Receipt } from '../wire';

export interface ReceiptProps {
  readonly lesson: LessonReply;
  /** Null: the submission waits in the outbox. */
  readonly receipt: Receipt | null;
  readonly zone: string;
  readonly trans: TranslationBundle;
}

export function ReceiptView({ lesson, receipt, zone, trans }: ReceiptProps): ReactElement {
  if (!receipt) {
    return (
      <div className="pmh-Dialog">
        <p>{trans.__('The hub cannot be reached now. “%1” is kept on your server as it is,', lesson.title)}</p>
        <p>{trans.__('and is sent by itself as soon as the hub is back. The receipt comes then.')}</p>
      </div>
    );
  }
  return (
    <div className="pmh-Dialog">
      <p>{trans.__('“%1” has arrived.', lesson.title)}</p>
      <dl className="pmh-Receipt">
        <dt>{trans.__('Receipt')}</dt>
        <dd>
          <code>{receipt.code}</code>
        </dd>
        <dt>{trans.__('Received')}</dt>
        <dd>{wholeTime(receipt.received_at, zone)}</dd>
      </dl>
      <button type="button" className="pmh-Button" onClick={() => download(receipt)}>
        {trans.__('Download receipt')}
      </button>
      <p>{again(lesson, zone, trans)}</p>
    </div>
  );
}

function again(lesson: LessonReply, zone: string, trans: TranslationBundle): string {
  if (lesson.attempts_left === 0) {
    return trans.__('This was your last submission of this lesson.');
  }
  const until = lesson.closes_at ?? lesson.due_at;
  return until
    ? trans.__('You can submit again until %1.', wholeTime(until, zone))
    : trans.__('You can submit again at any time; the newest counts.');
}

function download(receipt: Receipt): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(receipt, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `receipt-${receipt.lesson}-${receipt.code}.json`;
  link.click();
  URL.revokeObjectURL(url);
}
