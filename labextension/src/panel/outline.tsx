/**
 * The outline: units that can be folded, and in each its lessons with a button to open and one to submit.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useId, useState, type ReactElement } from 'react';

import { useSignal } from '../components/hooks';
import { Icon } from '../components/icon';
import { Notice } from '../components/notice';
import { stateLabel } from '../labels';
import { computeLessonState } from '../progressState';
import { computeDueState, fullTime, shortTime } from '../times';
import type { LessonReply, UnitReply } from '../wire';
import type { SectionProps } from './sectionProps';

export function Outline(props: SectionProps): ReactElement | null {
  const { model, actions, trans } = props;
  useSignal(model.changed);
  useSignal(model.submissions.changed);
  useSignal(actions.currentNotebookChanged);
  const { outline } = model;
  if (!outline) {
    return null;
  }
  if (outline.units.every(unit => unit.lessons.length === 0)) {
    return (
      <div className="pmh-Notices">
        <Notice icon="book" title={trans.__('No lessons yet')}>
          {trans.__('Lessons will appear here automatically when your instructor schedules them.')}
        </Notice>
      </div>
    );
  }
  return (
    <nav className="pmh-Outline" aria-label={trans.__('Lessons')}>
      {outline.units.map((unit, index) => (
        <Unit key={unit.title} {...props} unit={unit} isFirst={index === 0} />
      ))}
    </nav>
  );
}

function Unit({ unit, isFirst, ...props }: SectionProps & { unit: UnitReply; isFirst: boolean }): ReactElement {
  // Units that are all solved start folded, except for the first.
  const isSolved = unit.exercise_count > 0 && unit.solved_count === unit.exercise_count;
  const [isOpen, setOpen] = useState(isFirst || !isSolved);
  const listId = useId();
  const Caret = isOpen ? caretDownIcon.react : caretRightIcon.react;
  return (
    <section className="pmh-Unit">
      <h3>
        <button type="button" aria-expanded={isOpen} aria-controls={listId} onClick={() => setOpen(!isOpen)}>
          <Caret tag="span" aria-hidden="true" className="pmh-Caret" />
          <span className="pmh-Unit-title">{unit.title}</span>
          <span
            className="pmh-Count"
            title={props.trans.__('%1 of %2 solved', unit.solved_count, unit.exercise_count)}
          >
            {unit.solved_count} / {unit.exercise_count}
          </span>
        </button>
      </h3>
      <ul id={listId} hidden={!isOpen}>
        {unit.lessons.map(lesson => (
          <Lesson key={lesson.slug} {...props} lesson={lesson} />
        ))}
      </ul>
    </section>
  );
}

function Lesson({ lesson, model, actions, trans }: SectionProps & { lesson: LessonReply }): ReactElement {
  const detailsId = useId();
  const now = new Date();
  const zone = model.classroom?.time_zone ?? 'UTC';
  const isNotOpenYet = lesson.opens_at !== null && Date.parse(lesson.opens_at) > now.getTime();
  const state = computeLessonState(lesson, model.submissions);
  const isCurrent = actions.findCurrentLesson()?.slug === lesson.slug;
  return (
    <li className="pmh-Lesson" data-state={state}>
      <button
        type="button"
        className="pmh-Lesson-open"
        aria-label={trans.__('Open lesson %1', lesson.title)}
        aria-describedby={detailsId}
        aria-current={isCurrent ? 'page' : undefined}
        aria-disabled={isNotOpenYet}
        onClick={() => !isNotOpenYet && void actions.openLesson(lesson)}
      >
        <span className="pmh-State" data-state={state}>
          <Icon name={state} />
        </span>
        <span className="pmh-Lesson-title">{lesson.title}</span>
        <span className="pmh-Count">
          {lesson.solved_count} / {lesson.exercises.length}
        </span>
      </button>
      <div className="pmh-Lesson-more">
        <span id={detailsId}>
          <span>{stateLabel(state, trans)}</span>
          {isNotOpenYet && lesson.opens_at ? (
            <Time label={trans.__('Opens %1', shortTime(lesson.opens_at, now))} iso={lesson.opens_at} zone={zone} />
          ) : (
            <Due lesson={lesson} zone={zone} now={now} trans={trans} />
          )}
        </span>
        {lesson.state !== 'not-started' && (
          <button
            type="button"
            className="pmh-Link"
            aria-label={trans.__('Submit lesson %1', lesson.title)}
            onClick={() => void actions.submitLesson(lesson)}
          >
            {lesson.submitted_at ? trans.__('Submit again') : trans.__('Submit')}
          </button>
        )}
      </div>
    </li>
  );
}

interface DueProps {
  readonly lesson: LessonReply;
  readonly zone: string;
  readonly now: Date;
  readonly trans: TranslationBundle;
}

/** The due time if it is soon or has passed, else whether the lesson was submitted. */
function Due({ lesson, zone, now, trans }: DueProps): ReactElement | null {
  const dueAt = lesson.due_at;
  const state = computeDueState(dueAt, lesson.submitted_at, now);
  if (dueAt && state === 'missed') {
    return <Time label={trans.__('Was due %1', shortTime(dueAt, now))} iso={dueAt} zone={zone} isMissed />;
  }
  if (lesson.submitted_at) {
    return <Time label={trans.__('Submitted')} iso={lesson.submitted_at} zone={zone} />;
  }
  return dueAt && state === 'soon' ? (
    <Time label={trans.__('Due %1', shortTime(dueAt, now))} iso={dueAt} zone={zone} />
  ) : null;
}

interface TimeProps {
  readonly label: string;
  readonly iso: string;
  readonly zone: string;
  readonly isMissed?: boolean;
}

function Time({ label, iso, zone, isMissed = false }: TimeProps): ReactElement {
  return (
    <time dateTime={iso} title={fullTime(iso, zone)} data-missed={isMissed}>
      {label}
    </time>
  );
}
