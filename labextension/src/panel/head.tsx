/**
 * The head of the panel: the classroom, the lesson to continue with, and the progress.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon, HTMLSelect, refreshIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { useSignal } from '../components/hooks';
import { listLessons } from '../exercises';
import { pointsText } from '../texts';
import type { OutlineReply } from '../wire';
import type { SectionProps } from './sectionProps';

export function Head({ model, actions, trans }: SectionProps): ReactElement {
  useSignal(model.changed);
  const { outline, nextLesson } = model;
  return (
    <div className="pmh-Head">
      <div className="pmh-Head-line">
        <Title model={model} trans={trans} />
        <button
          type="button"
          className="pmh-IconButton"
          aria-label={trans.__('Refresh lessons')}
          title={trans.__('Refresh lessons')}
          onClick={() => void model.refresh()}
        >
          <refreshIcon.react tag="span" aria-hidden="true" />
        </button>
      </div>
      {outline && nextLesson && (
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept pmh-Primary"
          onClick={() => void actions.openNextLesson()}
        >
          <span className="pmh-Primary-text">
            {isStarted(outline)
              ? trans.__('Continue: %1', nextLesson.title)
              : trans.__('Start: %1', nextLesson.title)}
          </span>
          <caretRightIcon.react tag="span" aria-hidden="true" />
        </button>
      )}
      {outline && outline.exercise_count > 0 && <Progress outline={outline} trans={trans} />}
    </div>
  );
}

function isStarted(outline: OutlineReply): boolean {
  return listLessons(outline).some(lesson => lesson.state !== 'not-started');
}

function Title({ model, trans }: Pick<SectionProps, 'model' | 'trans'>): ReactElement {
  const { classroom, classrooms, selectedSlug } = model;
  // Stays while another classroom is loading: it has the focus then.
  if (selectedSlug !== null && classrooms.length > 1) {
    return (
      <HTMLSelect
        className="pmh-Switcher"
        aria-label={trans.__('Classroom')}
        value={selectedSlug}
        onChange={event => void model.selectClassroom(event.target.value)}
      >
        {classrooms.map(({ slug, title }) => (
          <option key={slug} value={slug}>
            {title}
          </option>
        ))}
      </HTMLSelect>
    );
  }
  const title = classroom?.title ?? trans.__('Lessons');
  return (
    <h2 className="pmh-Clip" title={title}>
      {title}
    </h2>
  );
}

function Progress({ outline, trans }: { outline: OutlineReply; trans: TranslationBundle }): ReactElement {
  const { solved_count: solved, exercise_count: count, points } = outline;
  const isDone = solved === count;
  const solvedText = isDone ? trans.__('All %1 solved', count) : trans.__('%1 of %2 solved', solved, count);
  return (
    <div className="pmh-Progress">
      <div
        className="pmh-Progress-track"
        role="progressbar"
        aria-label={trans.__('Exercises solved')}
        aria-valuemin={0}
        aria-valuemax={count}
        aria-valuenow={solved}
        aria-valuetext={solvedText}
      >
        <div className="pmh-Progress-bar" style={{ width: `${(100 * solved) / count}%` }} />
      </div>
      <p>
        {solvedText} · {pointsText(points, trans)}
      </p>
    </div>
  );
}
