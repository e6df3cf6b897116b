import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';

import type { ClassroomModel } from '../src/model';
import type { LessonNotebooks } from '../src/notebooks';
import { ReceiptView } from '../src/submit/receipt';
import { confirmAndSubmit } from '../src/submit/submitDialog';
import { SubmissionSummary } from '../src/submit/summary';
import type { LessonReply, MessageReply, Receipt } from '../src/wire';
import { lesson } from './samples';

const trans = nullTranslator.load('pmh_jupyter');
const PAST = '2020-03-04T17:00:00Z';
const LATER = '2999-03-04T17:00:00Z';

function summaryText(change: Partial<LessonReply>): string {
  return render(<SubmissionSummary lesson={lesson(change)} zone="UTC" trans={trans} />).container.textContent ?? '';
}

describe('the summary before submitting', () => {
  test('the summary names the notebooks, and says that other files are sent as well', () => {
    const text = summaryText({ notebooks: ['one.ipynb', 'two.ipynb'] });
    expect(text).toContain("Notebooks: one.ipynb, two.ipynb. Other files of the lesson's folder are sent, too.");
  });

  test('the summary shows the due time until it has passed', () => {
    expect(summaryText({ due_at: LATER })).toMatch(/Due .*2999/);
  });

  test('the summary says that a late submission is still accepted', () => {
    const text = summaryText({ due_at: PAST });
    expect(text).toMatch(/This lesson was due .*2020.* You can still submit it\./);
    expect(text).not.toContain('count less');
  });

  test('the summary names the closing time of a late submission', () => {
    expect(summaryText({ due_at: PAST, closes_at: LATER })).toMatch(
      /This lesson was due .*2020.* You can still submit it until .*2999/
    );
  });

  test('the summary warns that the lesson has closed', () => {
    expect(summaryText({ due_at: PAST, closes_at: PAST })).toMatch(/This lesson closed .*2020.* may not be accepted/);
  });

  test('the summary shows no time for a lesson without a schedule', () => {
    const text = summaryText({});
    expect(text).not.toContain('due');
    expect(text).toContain('You can submit as often as you like.');
  });
});

describe('the dialog', () => {
  test('a canceled dialog sends nothing', async () => {
    const model = { classroom: null, sendFinal: jest.fn() };
    const notebooks = { save: jest.fn() };
    const closed = confirmAndSubmit({
      model: model as unknown as ClassroomModel,
      notebooks: notebooks as unknown as LessonNotebooks,
      trans,
      lesson: lesson()
    });
    // jsdom does not open a dialog element, so that its content counts as hidden.
    fireEvent.click(await screen.findByRole('button', { name: 'Cancel', hidden: true }));
    await closed;
    expect(notebooks.save).not.toHaveBeenCalled();
    expect(model.sendFinal).not.toHaveBeenCalled();
  });
});

describe('the receipt', () => {
  const receipt = { code: '7KQM-2XWD', received_at: PAST } as Receipt;

  function receiptText(change: Partial<LessonReply>, leftOut: readonly MessageReply[] = []): string {
    const view = <ReceiptView lesson={lesson(change)} receipt={receipt} leftOut={leftOut} zone="UTC" trans={trans} />;
    return render(view).container.textContent ?? '';
  }

  test('the receipt says that the lesson can be submitted again until it closes', () => {
    expect(receiptText({ due_at: PAST, closes_at: LATER })).toMatch(/You can submit again until .*2999/);
  });

  test('the receipt names what was left out', () => {
    expect(receiptText({}, [{ code: 'left-out-link', params: { path: 'data.csv' } }])).toContain(
      'data.csv: left out, because links are not followed.'
    );
  });

  test('the receipt says that a lesson that never closes can be submitted again at any time', () => {
    expect(receiptText({ due_at: PAST })).toContain('You can submit again at any time.');
  });
});
