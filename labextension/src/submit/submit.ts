/**
 * Handing in: save, say what was understood, send, show the receipt.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { createElement } from 'react';

import type { ClassroomModel } from '../model';
import type { Notebooks } from '../notebooks';
import type { LessonReply, Receipt } from '../wire';
import { ReceiptView } from './receipt';
import { Summary } from './summary';

export interface Submission {
  readonly model: ClassroomModel;
  readonly notebooks: Notebooks;
  readonly trans: TranslationBundle;
  readonly lesson: LessonReply;
}

/** Asks, and hands the lesson in when the answer is yes; raises PmhError when it cannot be sent. */
export async function submitLesson(submission: Submission): Promise<void> {
  const { model, notebooks, trans, lesson } = submission;
  const zone = model.classroom?.time_zone ?? 'UTC';
  const answer = await showDialog({
    title: trans.__('Submit “%1”?', lesson.title),
    body: ReactWidget.create(createElement(Summary, { lesson, zone, trans })),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Not yet') }),
      Dialog.okButton({ label: trans.__('Submit'), ariaLabel: trans.__('Submit lesson %1', lesson.title) })
    ]
  });
  if (!answer.button.accept) {
    return;
  }
  await notebooks.save(model.classroom?.slug ?? '', lesson.slug);
  const { receipt } = await model.submit(lesson);
  await model.refresh();
  await showReceipt(submission, receipt);
}

async function showReceipt({ model, trans, lesson }: Submission, receipt: Receipt | null): Promise<void> {
  const now = model.lesson(lesson.slug) ?? lesson;
  const zone = model.classroom?.time_zone ?? 'UTC';
  await showDialog({
    title: receipt ? trans.__('Submitted') : trans.__('Kept until the hub is back'),
    body: ReactWidget.create(createElement(ReceiptView, { lesson: now, receipt, zone, trans })),
    buttons: [Dialog.okButton({ label: trans.__('Done') })]
  });
}
