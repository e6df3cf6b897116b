/**
 * Submits a lesson: shows a summary, saves the notebooks, sends them, and shows the receipt.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { createElement } from 'react';

import type { ClassroomModel } from '../model';
import type { LessonNotebooks } from '../notebooks';
import type { LabSubmissionReply, LessonReply } from '../wire';
import { ReceiptView } from './receipt';
import { SubmissionSummary } from './summary';

export interface SubmitDialogOptions {
  readonly model: ClassroomModel;
  readonly notebooks: LessonNotebooks;
  readonly trans: TranslationBundle;
  readonly lesson: LessonReply;
}

/** Asks for confirmation, submits the lesson and shows the receipt; raises PmhError when the submission cannot be sent. */
export async function confirmAndSubmit(options: SubmitDialogOptions): Promise<void> {
  const { model, notebooks, trans, lesson } = options;
  const zone = model.classroom?.time_zone ?? 'UTC';
  const result = await showDialog({
    title: trans.__('Submit “%1”?', lesson.title),
    body: ReactWidget.create(createElement(SubmissionSummary, { lesson, zone, trans })),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Submit'), ariaLabel: trans.__('Submit lesson %1', lesson.title) })
    ]
  });
  if (!result.button.accept) {
    return;
  }
  await notebooks.save(model.classroom?.slug ?? '', lesson.slug);
  const reply = await model.sendFinal(lesson);
  await model.refresh();
  await showReceipt(options, reply);
}

async function showReceipt({ model, trans, lesson }: SubmitDialogOptions, reply: LabSubmissionReply): Promise<void> {
  const { receipt, left_out: leftOut } = reply;
  const currentLesson = model.findLesson(lesson.slug) ?? lesson;
  const zone = model.classroom?.time_zone ?? 'UTC';
  await showDialog({
    title: receipt ? trans.__('Submitted') : trans.__('Waiting for the hub'),
    body: ReactWidget.create(createElement(ReceiptView, { lesson: currentLesson, receipt, leftOut, zone, trans })),
    buttons: [Dialog.okButton({ label: trans.__('Done') })]
  });
}
