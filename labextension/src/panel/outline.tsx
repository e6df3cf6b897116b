/**
 * The map: units that fold, and in each its lessons, each a button that opens it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useId, useState, type ReactElement } from 'react';

import { Glyph } from '../components/glyph';
import { useChanged } from '../components/hooks';
import { Notice } from '../components/notice';
import { dueState, shortTime, wholeTime } from '../times';
import type { LessonReply, UnitReply } from '../wire';
import { stateWord } from '../words';
import type { SectionProps } from './head';

export function Outline(props: SectionProps): ReactElement | null {
  const { model, actions, trans } = props;
  useChanged(model.changed);
  useChanged(actions.moved);
  const { outline } = model;
  if (!outline) {
    return null;
  }
  if (outline.total === 0 && outline.units.every(unit => unit.lessons.length === 0)) {
    return (
      <div className="pmh-Notices">
        <Notice glyph="book" title={trans.__('No lessons yet.')}>
          {trans.__('Your instructor has not put a lesson on the schedule. This list fills by itself.')}
        </Notice>
      </div>
    );
  }
  return (
    <nav className="pmh-Outline" aria-label={trans.__('Lessons')}>
      {outline.units.map((unit, index) => (
        <Unit key={unit.title} {...props} unit={unit} number={index + 1} />
      ))}
    </nav>
  );
}

function Unit({ unit, number, ...props }: SectionProps & { unit: UnitReply; number: number }): ReactElement {
  // What is solved to the end is folded away at the start; everything else lies open.
  const [open, setOpen] = useState(unit.total === 0 || unit.solved < unit.total || number === 1);
  const id = useId();
  const Caret = open ? caretDownIcon.react : caretRightIcon.react;
  return (
    <section className="pmh-Unit">
      <h3>
        <button type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          <Caret tag="span" aria-hidden="true" className="pmh-Caret" />
          <span className="pmh-Clip">{unit.title}</span>
          <span className="pmh-Count" title={props.trans.__('%1 of %2 solved', unit.solved, unit.total)}>
            {unit.solved} / {unit.total}
          </span>
        </button>
      </h3>
      <ul id={id} hidden={!open}>
        {unit.lessons.map(lesson => (
          <Lesson key={lesson.slug} {...props} lesson={lesson} />
        ))}
      </ul>
    </section>
  );
}

function Lesson({ lesson, model, actions, trans }: SectionProps & { lesson: LessonReply }): ReactElement {
  const id = useId();
  const now = new Date();
  const zone = model.classroom?.time_zone ?? 'UTC';
  const later = lesson.opens_at !== null && Date.parse(lesson.opens_at) > now.getTime();
  const current = actions.lessonAtHand()?.slug === lesson.slug;
  const opened = lesson.state !== 'new';
  return (
    <li className="pmh-Lesson" data-state={lesson.state}>
      <button
        type="button"
        className="pmh-Lesson-open"
        aria-label={trans.__('Open lesson %1', lesson.title)}
        aria-describedby={id}
        aria-current={current ? 'page' : undefined}
        aria-disabled={later}
        onClick={() => !later && void actions.openLesson(lesson)}
      >
        <span className="pmh-State" data-state={lesson.state}>
          <Glyph name={lesson.state} />
        </span>
        <span className="pmh-Lesson-title">{lesson.title}</span>
        <span className="pmh-Count">
          {lesson.solved} / {lesson.exercises.length}
        </span>
      </button>
      <div className="pmh-Lesson-more">
        <span id={id}>
          <span>{stateWord(lesson.state, trans)}</span>
          {later && lesson.opens_at ? (
            <Time label={trans.__('opens %1', shortTime(lesson.opens_at, now))} iso={lesson.opens_at} zone={zone} />
          ) : (
            <Due lesson={lesson} zone={zone} now={now} trans={trans} />
          )}
        </span>
        {opened && (
          <button
            type="button"
            className="pmh-Link"
            aria-label={trans.__('Submit lesson %1', lesson.title)}
            onClick={() => void actions.submit(lesson)}
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

/** The due time where it matters: near, or missed; else whether the lesson was handed in. */
function Due({ lesson, zone, now, trans }: DueProps): ReactElement | null {
  const due = lesson.due_at;
  const state = dueState(due, lesson.submitted_at, now);
  if (due && state === 'missed') {
    return <Time label={trans.__('was due %1', shortTime(due, now))} iso={due} zone={zone} missed />;
  }
  if (lesson.submitted_at) {
    return <Time label={trans.__('submitted')} iso={lesson.submitted_at} zone={zone} />;
  }
  return due && state === 'near' ? (
    <Time label={trans.__('due %1', shortTime(due, now))} iso={due} zone={zone} />
  ) : null;
}

interface TimeProps {
  readonly label: string;
  readonly iso: string;
  readonly zone: string;
  readonly missed?: boolean;
}

function Time({ label, iso, zone, missed = false }: TimeProps): ReactElement {
  return (
    <time dateTime={iso} title={wholeTime(iso, zone)} data-missed={missed}>
      {label}
    </time>
  );
}
