/**
 * The summary before submitting: the exercises by state, the files, the due time and the submissions left.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Glyph } from '../components/glyph';
import type { State } from '../labels';
import { timeInSentence } from '../times';
import type { ExerciseReply, LessonReply } from '../wire';

export interface SubmissionSummaryProps {
  readonly lesson: LessonReply;
  /** The classroom's time zone. */
  readonly zone: string;
  readonly trans: TranslationBundle;
}

export function SubmissionSummary({ lesson, zone, trans }: SubmissionSummaryProps): ReactElement {
  const solved = lesson.exercises.filter(exercise => exercise.state === 'done');
  const unchecked = lesson.exercises.filter(exercise => exercise.attempts === 0 && exercise.state !== 'done');
  const unsolved = lesson.exercises.filter(exercise => !solved.includes(exercise) && !unchecked.includes(exercise));
  return (
    <div className="pmh-Dialog">
      <ul className="pmh-Summary">
        <Group state="done" label={trans.__('Solved: %1', solved.length)} exercises={solved} />
        <Group state="in-progress" label={trans.__('Not solved yet: %1', unsolved.length)} exercises={unsolved} />
        <Group state="not-started" label={trans.__('Not checked yet: %1', unchecked.length)} exercises={unchecked} />
      </ul>
      <p>{trans.__('Files included: %1', lesson.notebooks.join(', '))}</p>
      <Terms lesson={lesson} zone={zone} trans={trans} />
    </div>
  );
}

interface GroupProps {
  readonly state: State;
  readonly label: string;
  readonly exercises: readonly ExerciseReply[];
}

function Group({ state, label, exercises }: GroupProps): ReactElement | null {
  return exercises.length === 0 ? null : (
    <li>
      <span className="pmh-State" data-state={state}>
        <Glyph name={state} />
      </span>
      <div>
        <strong>{label}</strong>
        <p>{exercises.map(exercise => exercise.title).join(', ')}</p>
      </div>
    </li>
  );
}

/** The due time, and how many submissions are left. */
function Terms({ lesson, zone, trans }: SubmissionSummaryProps): ReactElement {
  const { due_at: dueAt, submissions_left: submissionsLeft } = lesson;
  const isLate = dueAt !== null && Date.parse(dueAt) < Date.now();
  const dueTime = dueAt && timeInSentence(dueAt, zone, trans);
  return (
    <>
      {dueTime && (
        <p>
          {isLate
            ? trans.__('This lesson was due %1. A late submission may count less.', dueTime)
            : trans.__('Due %1.', dueTime)}
        </p>
      )}
      <p>
        {submissionsLeft === null
          ? trans.__('You can submit as often as you like.')
          : trans._n('This is your last submission.', 'You have %1 submissions left.', submissionsLeft)}
      </p>
    </>
  );
}
