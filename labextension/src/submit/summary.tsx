/**
 * The summary before submitting: the exercises by state, the files, the due time and the submissions left.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Icon } from '../components/icon';
import type { ProgressState } from '../labels';
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
      <p>
        {trans.__("Notebooks: %1. Other files of the lesson's folder are sent, too.", lesson.notebooks.join(', '))}
      </p>
      <Terms lesson={lesson} zone={zone} trans={trans} />
    </div>
  );
}

interface GroupProps {
  readonly state: ProgressState;
  readonly label: string;
  readonly exercises: readonly ExerciseReply[];
}

function Group({ state, label, exercises }: GroupProps): ReactElement | null {
  return exercises.length === 0 ? null : (
    <li>
      <span className="pmh-State" data-state={state}>
        <Icon name={state} />
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
  const { submissions_left: submissionsLeft } = lesson;
  const deadline = deadlineText(lesson, zone, trans);
  return (
    <>
      {deadline && <p>{deadline}</p>}
      <p>
        {submissionsLeft === null
          ? trans.__('You can submit as often as you like.')
          : trans._n('This is your last submission.', 'You have %1 submissions left.', submissionsLeft)}
      </p>
    </>
  );
}

/** The due time; after it, until when a submission is still accepted. The hub decides, and a late submission gets its full points. */
function deadlineText(lesson: LessonReply, zone: string, trans: TranslationBundle): string {
  const { due_at: dueAt, closes_at: closesAt } = lesson;
  if (closesAt && hasPassed(closesAt)) {
    return trans.__('This lesson closed %1. Your submission may not be accepted.', timeInSentence(closesAt, zone, trans));
  }
  if (!dueAt) {
    return '';
  }
  const dueTime = timeInSentence(dueAt, zone, trans);
  if (!hasPassed(dueAt)) {
    return trans.__('Due %1.', dueTime);
  }
  return closesAt
    ? trans.__('This lesson was due %1. You can still submit it until %2.', dueTime, timeInSentence(closesAt, zone, trans))
    : trans.__('This lesson was due %1. You can still submit it.', dueTime);
}

function hasPassed(iso: string): boolean {
  return Date.parse(iso) < Date.now();
}
