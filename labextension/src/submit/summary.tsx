/**
 * What a submission would hand in, as it was understood.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Glyph, type GlyphName } from '../components/glyph';
import { wholeTime } from '../times';
import type { ExerciseReply, LessonReply } from '../wire';

export interface SummaryProps {
  readonly lesson: LessonReply;
  readonly zone: string;
  readonly trans: TranslationBundle;
}

export function Summary({ lesson, zone, trans }: SummaryProps): ReactElement {
  const solved = lesson.exercises.filter(exercise => exercise.state === 'done');
  const unchecked = lesson.exercises.filter(exercise => exercise.tries === 0 && exercise.state !== 'done');
  const open = lesson.exercises.filter(exercise => !solved.includes(exercise) && !unchecked.includes(exercise));
  return (
    <div className="pmh-Dialog">
      <ul className="pmh-Summary">
        <Group glyph="done" label={trans.__('Solved')} exercises={solved} />
        <Group glyph="begun" label={trans.__('Not solved yet')} exercises={open} />
        <Group glyph="new" label={trans.__('Not checked yet')} exercises={unchecked} />
      </ul>
      <p>{trans.__('Handed in with it: %1', lesson.notebooks.join(', '))}</p>
      <Terms lesson={lesson} zone={zone} trans={trans} />
    </div>
  );
}

interface GroupProps {
  readonly glyph: GlyphName;
  readonly label: string;
  readonly exercises: readonly ExerciseReply[];
}

function Group({ glyph, label, exercises }: GroupProps): ReactElement | null {
  return exercises.length === 0 ? null : (
    <li>
      <span className="pmh-State" data-state={glyph}>
        <Glyph name={glyph} />
      </span>
      <div>
        <strong>
          {label}: {exercises.length}
        </strong>
        <p>{exercises.map(exercise => exercise.title).join(', ')}</p>
      </div>
    </li>
  );
}

/** When it is due and how often it can be handed in. */
function Terms({ lesson, zone, trans }: SummaryProps): ReactElement {
  const left = lesson.attempts_left;
  const late = lesson.due_at !== null && Date.parse(lesson.due_at) < Date.now();
  return (
    <>
      {lesson.due_at && (
        <p>
          {late
            ? trans.__('It was due %1. A late submission may count less.', wholeTime(lesson.due_at, zone))
            : trans.__('Due %1.', wholeTime(lesson.due_at, zone))}
        </p>
      )}
      <p>
        {left === null
          ? trans.__('You can submit as often as you like.')
          : trans._n('This is your last submission.', 'You have %1 submissions left.', left)}
      </p>
    </>
  );
}
