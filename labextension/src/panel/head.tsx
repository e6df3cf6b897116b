/**
 * The panel's head: which classroom, the one thing to do next, and how far the way has been gone.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretRightIcon, HTMLSelect, refreshIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { Actions } from '../actions';
import { useChanged } from '../components/hooks';
import type { ClassroomModel } from '../model';
import type { OutlineReply } from '../wire';
import { pointsWord } from '../words';

export interface SectionProps {
  readonly model: ClassroomModel;
  readonly actions: Actions;
  readonly trans: TranslationBundle;
}

export function Head({ model, actions, trans }: SectionProps): ReactElement {
  useChanged(model.changed);
  const { outline, next } = model;
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
      {outline && next && (
        <button type="button" className="jp-mod-styled jp-mod-accept pmh-Primary" onClick={() => void actions.openNext()}>
          <span className="pmh-Clip">
            {outline.solved > 0 ? trans.__('Continue: %1', next.title) : trans.__('Start: %1', next.title)}
          </span>
          <caretRightIcon.react tag="span" aria-hidden="true" />
        </button>
      )}
      {outline && outline.total > 0 && <Progress outline={outline} trans={trans} />}
    </div>
  );
}

function Title({ model, trans }: Pick<SectionProps, 'model' | 'trans'>): ReactElement {
  const { classroom, classrooms } = model;
  if (classroom && classrooms.length > 1) {
    return (
      <HTMLSelect
        className="pmh-Switcher"
        aria-label={trans.__('Classroom')}
        value={classroom.slug}
        onChange={event => void model.switchTo(event.target.value)}
      >
        {classrooms.map(({ slug, title }) => (
          <option key={slug} value={slug}>
            {title}
          </option>
        ))}
      </HTMLSelect>
    );
  }
  return <h2 className="pmh-Clip">{classroom?.title ?? trans.__('Lessons')}</h2>;
}

function Progress({ outline, trans }: { outline: OutlineReply; trans: TranslationBundle }): ReactElement {
  const { solved, total, points } = outline;
  const done = trans.__('%1 of %2 solved', solved, total);
  return (
    <div className="pmh-Progress">
      <div
        className="pmh-Progress-track"
        role="progressbar"
        aria-label={trans.__('Exercises solved')}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={solved}
        aria-valuetext={done}
      >
        <div className="pmh-Progress-bar" style={{ width: `${(100 * solved) / total}%` }} />
      </div>
      <p>
        {done} · {pointsWord(points, trans)}
        {solved === total && <strong> · {trans.__('All done')}</strong>}
      </p>
    </div>
  );
}
