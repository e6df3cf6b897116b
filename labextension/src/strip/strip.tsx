/**
 * The line above an exercise's answer cell: what it is, where it stands, a hint, and the button.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useState, type ReactElement } from 'react';

import { Glyph } from '../components/glyph';
import { useChanged } from '../components/hooks';
import { Prose } from '../components/prose';
import type { ClassroomModel } from '../model';
import type { ExerciseReply, LessonReply } from '../wire';
import { pointsOf, pointsWord, progressWord, stateWord } from '../words';
import { isBusy } from '../works';

/** What the strip and the result of one exercise need. They look the exercise up anew at each rendering. */
export interface ExerciseProps {
  readonly model: ClassroomModel;
  readonly lesson: string;
  readonly gradeId: string;
  readonly onCheck: (lesson: LessonReply, exercise: ExerciseReply) => void;
  readonly onGoTo: (gradeId: string, line: number | null) => void;
  /** The key that checks, as this platform writes it; "" when it has none. */
  readonly keys: string;
  readonly trans: TranslationBundle;
}

export interface FoundExercise {
  readonly lesson: LessonReply;
  readonly exercise: ExerciseReply;
  /** Its place in the lesson, from 0. */
  readonly index: number;
}

export function useExercise({ model, lesson: slug, gradeId }: ExerciseProps): FoundExercise | null {
  useChanged(model.changed);
  useChanged(model.works.changed);
  const lesson = model.lesson(slug);
  const index = lesson?.exercises.findIndex(exercise => exercise.grade_id === gradeId) ?? -1;
  const exercise = lesson?.exercises[index];
  return lesson && exercise ? { lesson, exercise, index } : null;
}

export function Strip(props: ExerciseProps): ReactElement | null {
  const found = useExercise(props);
  const [hints, setHints] = useState(0);
  const hintsId = useId();
  if (!found) {
    return null;
  }
  const { exercise, index } = found;
  const { trans } = props;
  return (
    <div className="pmh-Strip" role="group" aria-label={trans.__('Exercise %1: %2', index + 1, exercise.title)}>
      <div className="pmh-Strip-line">
        <span className="pmh-Strip-title">
          <span className="pmh-Strip-number">{trans.__('Exercise %1', index + 1)}</span>
          <strong>{exercise.title}</strong>
        </span>
        <Standing {...props} exercise={exercise} />
        {exercise.hints.length > 0 && (
          <button
            type="button"
            className="pmh-Link"
            aria-expanded={hints > 0}
            aria-controls={hintsId}
            onClick={() => setHints(hints > 0 ? 0 : 1)}
          >
            {hints > 0 ? trans.__('Hide hint') : trans.__('Hint')}
          </button>
        )}
        <CheckButton {...props} found={found} />
      </div>
      <div id={hintsId} className="pmh-Hints" hidden={hints === 0}>
        <Hints hints={exercise.hints} shown={hints} onMore={() => setHints(hints + 1)} trans={trans} />
      </div>
    </div>
  );
}

function Standing({ model, lesson, exercise, trans }: ExerciseProps & { exercise: ExerciseReply }): ReactElement {
  const grading = isBusy(model.works.get(lesson, exercise.grade_id));
  const state = grading ? 'grading' : exercise.state;
  const points =
    exercise.points > 0 ? pointsOf(exercise.points, exercise.max_points, trans) : pointsWord(exercise.max_points, trans);
  const tries = exercise.tries > 0 ? trans._n('%1 try', '%1 tries', exercise.tries) : stateWord('new', trans);
  const word = state === 'new' || state === 'begun' ? tries : stateWord(state, trans);
  return (
    <span className="pmh-Strip-standing">
      <span>{points}</span>
      <span className="pmh-State" data-state={state}>
        <Glyph name={state} />
        {word}
      </span>
    </span>
  );
}

function CheckButton({ found, ...props }: ExerciseProps & { found: FoundExercise }): ReactElement {
  const { model, trans, keys } = props;
  const work = model.works.get(props.lesson, props.gradeId);
  const busy = isBusy(work);
  const label = busy ? progressWord(work, trans) : trans.__('Check');
  // Not `disabled`: a button that takes the focus away from whoever pressed it leaves them nowhere.
  return (
    <button
      type="button"
      className="pmh-Button pmh-Check"
      aria-label={trans.__('Check exercise: %1', found.exercise.title)}
      aria-disabled={busy}
      title={keys && trans.__('Check (%1)', keys)}
      onClick={() => !busy && props.onCheck(found.lesson, found.exercise)}
    >
      {label}
    </button>
  );
}

interface HintsProps {
  readonly hints: readonly string[];
  readonly shown: number;
  readonly onMore: () => void;
  readonly trans: TranslationBundle;
}

function Hints({ hints, shown, onMore, trans }: HintsProps): ReactElement {
  return (
    <>
      <ol>
        {hints.slice(0, shown).map((hint, index) => (
          <li key={index}>
            <Prose text={hint} />
          </li>
        ))}
      </ol>
      {shown > 0 && shown < hints.length && (
        <button type="button" className="pmh-Link" onClick={onMore}>
          {trans.__('One more hint (%1 of %2)', shown + 1, hints.length)}
        </button>
      )}
    </>
  );
}
