/**
 * The strip above an exercise's answer cell: title, points, state, hints, and the Check button.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useState, type ReactElement } from 'react';

import { useSignal } from '../components/hooks';
import { Icon } from '../components/icon';
import { Prose } from '../components/prose';
import { stateLabel } from '../labels';
import { computeExerciseState } from '../progressState';
import type { ClassroomModel } from '../model';
import { isBusy } from '../submissions';
import { pointsOfText, pointsText, progressText } from '../texts';
import type { ExerciseReply, LessonReply } from '../wire';

/** Properties of the strip and the result of one exercise. Both look the exercise up in the model at each rendering. */
export interface ExerciseProps {
  readonly model: ClassroomModel;
  /** The lesson's slug. */
  readonly lesson: string;
  readonly gradeId: string;
  readonly onCheck: (lesson: LessonReply, exercise: ExerciseReply) => void;
  readonly onGoTo: (gradeId: string, line: number | null) => void;
  /** The shortcut of Check as this platform writes it; "" when it has none. */
  readonly shortcut: string;
  readonly trans: TranslationBundle;
}

export interface LocatedExercise {
  readonly lesson: LessonReply;
  readonly exercise: ExerciseReply;
  /** The exercise's position in the lesson, from 0. */
  readonly index: number;
}

export function useExercise({ model, lesson: slug, gradeId }: ExerciseProps): LocatedExercise | null {
  useSignal(model.changed);
  useSignal(model.submissions.changed);
  const lesson = model.findLesson(slug);
  const index = lesson?.exercises.findIndex(exercise => exercise.grade_id === gradeId) ?? -1;
  const exercise = lesson?.exercises[index];
  return lesson && exercise ? { lesson, exercise, index } : null;
}

export function Strip(props: ExerciseProps): ReactElement | null {
  const located = useExercise(props);
  const [shownHints, setShownHints] = useState(0);
  const hintsId = useId();
  if (!located) {
    return null;
  }
  const { exercise, index } = located;
  const { trans } = props;
  return (
    <div className="pmh-Strip" role="group" aria-label={trans.__('Exercise %1: %2', index + 1, exercise.title)}>
      <div className="pmh-Strip-line">
        <span className="pmh-Strip-title">
          <span className="pmh-Strip-number">{trans.__('Exercise %1', index + 1)}</span>
          <strong>{exercise.title}</strong>
        </span>
        <Status {...props} exercise={exercise} />
        {exercise.hints.length > 0 && (
          <button
            type="button"
            className="pmh-Link"
            aria-expanded={shownHints > 0}
            aria-controls={hintsId}
            onClick={() => setShownHints(shownHints > 0 ? 0 : 1)}
          >
            {shownHints > 0 ? trans.__('Hide hint') : trans.__('Hint')}
          </button>
        )}
        <CheckButton {...props} located={located} />
      </div>
      <div id={hintsId} className="pmh-Hints" hidden={shownHints === 0}>
        <Hints
          hints={exercise.hints}
          shownCount={shownHints}
          onShowNext={() => setShownHints(shownHints + 1)}
          trans={trans}
        />
      </div>
    </div>
  );
}

/** Points, and the state of the exercise; the number of attempts while there is no other state to show. */
function Status({ model, lesson, exercise, trans }: ExerciseProps & { exercise: ExerciseReply }): ReactElement {
  const state = computeExerciseState(lesson, exercise, model.submissions);
  const { points, max_points: maxPoints, attempts } = exercise;
  const label =
    state === 'in-progress' && attempts > 0
      ? trans._n('%1 attempt', '%1 attempts', attempts)
      : stateLabel(state, trans);
  return (
    <span className="pmh-Strip-status">
      <span>{points > 0 ? pointsOfText(points, maxPoints, trans) : pointsText(maxPoints, trans)}</span>
      <span className="pmh-State" data-state={state}>
        <Icon name={state} />
        {label}
      </span>
    </span>
  );
}

function CheckButton({ located, ...props }: ExerciseProps & { located: LocatedExercise }): ReactElement {
  const { model, trans, shortcut } = props;
  const submission = model.submissions.get(props.lesson, props.gradeId);
  const isChecking = isBusy(submission);
  // Not `disabled`: a disabled button would lose the keyboard focus of the person who pressed it.
  return (
    <button
      type="button"
      className="pmh-Button pmh-Check"
      aria-label={trans.__('Check exercise: %1', located.exercise.title)}
      aria-disabled={isChecking}
      title={shortcut && trans.__('Check (%1)', shortcut)}
      onClick={() => !isChecking && props.onCheck(located.lesson, located.exercise)}
    >
      {isChecking ? progressText(submission, trans) : trans.__('Check')}
    </button>
  );
}

interface HintsProps {
  readonly hints: readonly string[];
  readonly shownCount: number;
  readonly onShowNext: () => void;
  readonly trans: TranslationBundle;
}

function Hints({ hints, shownCount, onShowNext, trans }: HintsProps): ReactElement {
  return (
    <>
      <ol>
        {hints.slice(0, shownCount).map((hint, index) => (
          <li key={index}>
            <Prose text={hint} />
          </li>
        ))}
      </ol>
      {shownCount > 0 && shownCount < hints.length && (
        <button type="button" className="pmh-Link" onClick={onShowNext}>
          {trans.__('Next hint (%1 of %2)', shownCount + 1, hints.length)}
        </button>
      )}
    </>
  );
}
