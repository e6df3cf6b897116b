/**
 * What stands between a person and their lessons, each with its way out: loading, no classroom yet, an error, no hub, refused work.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useState, type FormEvent, type ReactElement } from 'react';

import { useChanged } from '../components/hooks';
import { Notice } from '../components/notice';
import type { ClassroomModel } from '../model';
import { PmhError } from '../request';
import type { OutboxReply } from '../wire';
import type { SectionProps } from './head';

export function Notices({ model, trans }: SectionProps): ReactElement {
  useChanged(model.changed);
  return (
    <div className="pmh-Notices">
      {model.phase === 'loading' && <Skeleton trans={trans} />}
      {model.phase === 'no-classroom' && <JoinForm model={model} trans={trans} />}
      {model.error && !(model.outline && model.error.kept) && (
        <Notice
          urgent
          glyph="attention"
          title={model.error.message}
          action={{ label: trans.__('Try again'), onClick: () => void model.refresh() }}
        >
          {model.error.requestId
            ? `${model.error.advice} (${trans.__('Request %1', model.error.requestId)})`
            : model.error.advice}
        </Notice>
      )}
      {!model.online && model.outline && (model.error?.kept ?? true) && <Offline model={model} trans={trans} />}
      <Refused model={model} trans={trans} />
    </div>
  );
}

/** The shape of what is coming; it shows only when that takes longer than a blink. */
function Skeleton({ trans }: { trans: TranslationBundle }): ReactElement {
  return (
    <div className="pmh-Skeleton" role="status">
      <span className="pmh-Spoken">{trans.__('Loading your lessons…')}</span>
      {[100, 62, 84, 76, 90].map(width => (
        <div key={width} className="pmh-Skeleton-line" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

function Offline({ model, trans }: Pick<SectionProps, 'model' | 'trans'>): ReactElement {
  return (
    <Notice
      glyph="grading"
      title={trans.__('Working offline.')}
      action={{ label: trans.__('Try now'), onClick: () => void model.sendWaiting() }}
    >
      {trans.__('Your checks will be sent when the hub is back.') + waiting(model.outbox, trans)}
    </Notice>
  );
}

function waiting(outbox: OutboxReply, trans: TranslationBundle): string {
  const count = outbox.waiting.length;
  return count > 0 ? ' ' + trans._n('%1 is waiting.', '%1 are waiting.', count) : '';
}

function Refused({ model, trans }: Pick<SectionProps, 'model' | 'trans'>): ReactElement {
  return (
    <>
      {model.outbox.refused.map(entry => (
        <Notice
          key={entry.id}
          glyph="attention"
          title={
            entry.kind === 'check'
              ? trans.__('A check of “%1” was not accepted.', lessonTitle(model, entry.lesson))
              : trans.__('The submission of “%1” was not accepted.', lessonTitle(model, entry.lesson))
          }
          action={{ label: trans.__('Dismiss'), onClick: () => void model.forget(entry.id) }}
        >
          {entry.last_error}
        </Notice>
      ))}
    </>
  );
}

function lessonTitle(model: ClassroomModel, slug: string): string {
  return model.lesson(slug)?.title ?? slug;
}

/** The first visit: nothing to see yet but the way in. */
function JoinForm({ model, trans }: Pick<SectionProps, 'model' | 'trans'>): ReactElement {
  const [code, setCode] = useState('');
  const [error, setError] = useState<PmhError | null>(null);
  const id = useId();
  const join = async (event: FormEvent) => {
    event.preventDefault();
    try {
      setError(null);
      await model.join(code.trim());
    } catch (reason) {
      if (!(reason instanceof PmhError)) {
        throw reason;
      }
      setError(reason);
    }
  };
  return (
    <form className="pmh-Join" aria-label={trans.__('Join your classroom')} onSubmit={event => void join(event)}>
      <h3>{trans.__('Join your classroom')}</h3>
      <p>{trans.__('Your instructor has a join code for you. With it your lessons appear here.')}</p>
      <label htmlFor={id}>{trans.__('Join code')}</label>
      <input
        id={id}
        className="jp-mod-styled"
        value={code}
        onChange={event => setCode(event.target.value)}
        autoComplete="off"
        spellCheck={false}
        required
        minLength={4}
        maxLength={64}
      />
      <button type="submit" className="jp-mod-styled jp-mod-accept pmh-Primary">
        {trans.__('Join')}
      </button>
      {error && (
        <Notice urgent glyph="attention" title={error.message}>
          {error.advice}
        </Notice>
      )}
    </form>
  );
}
