/**
 * Notices above the outline, each with advice: loading, no classroom yet, an error, an unavailable hub, rejected submissions.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useState, type FormEvent, type ReactElement } from 'react';

import { useSignal } from '../components/hooks';
import { Notice } from '../components/notice';
import type { ClassroomModel } from '../model';
import { asPmhError, type PmhError } from '../request';
import type { OutboxEntryReply } from '../wire';
import type { SectionProps } from './sectionProps';

type NoticeProps = Pick<SectionProps, 'model' | 'trans'>;

export function Notices({ model, trans }: SectionProps): ReactElement {
  useSignal(model.changed);
  const isHubUnavailable = model.error?.isHubUnavailable ?? true;
  return (
    <div className="pmh-Notices">
      {model.phase === 'loading' && <Skeleton trans={trans} />}
      {model.phase === 'no-classroom' && <JoinForm model={model} trans={trans} />}
      {model.error && !(model.outline && isHubUnavailable) && (
        <ErrorNotice error={model.error} model={model} trans={trans} />
      )}
      {!model.isOnline && model.outline && isHubUnavailable && <OfflineNotice model={model} trans={trans} />}
      {model.outbox.rejected.map(entry => (
        <RejectedNotice key={entry.id} entry={entry} model={model} trans={trans} />
      ))}
    </div>
  );
}

/** A placeholder for the outline while it is loading. Appears only after a delay (panel.css). */
function Skeleton({ trans }: { trans: TranslationBundle }): ReactElement {
  return (
    <div className="pmh-Skeleton" role="status">
      <span className="pmh-Announcement">{trans.__('Loading your lessons…')}</span>
      {[100, 62, 84, 76, 90].map(width => (
        <div key={width} className="pmh-Skeleton-line" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

function ErrorNotice({ error, model, trans }: NoticeProps & { error: PmhError }): ReactElement {
  return (
    <Notice
      isUrgent
      icon="needs-attention"
      title={error.message}
      action={{ label: trans.__('Try again'), onClick: () => void model.refresh() }}
    >
      {error.requestId ? trans.__('%1 (Request %2)', error.advice, error.requestId) : error.advice}
    </Notice>
  );
}

function OfflineNotice({ model, trans }: NoticeProps): ReactElement {
  const count = model.outbox.waiting.length;
  return (
    <Notice
      icon="offline"
      title={trans.__('Working offline')}
      action={{ label: trans.__('Try now'), onClick: () => void model.sendOutbox() }}
    >
      {count > 0
        ? trans._n(
            '%1 submission is waiting on your server. It will be sent when the hub is back.',
            '%1 submissions are waiting on your server. They will be sent when the hub is back.',
            count
          )
        : trans.__('The hub cannot be reached. Your checks and submissions will be sent when it is back.')}
    </Notice>
  );
}

function RejectedNotice({ entry, model, trans }: NoticeProps & { entry: OutboxEntryReply }): ReactElement {
  const lessonTitle = model.findLesson(entry.lesson)?.title ?? entry.lesson;
  return (
    <Notice
      icon="needs-attention"
      title={
        entry.kind === 'check'
          ? trans.__('A check of “%1” was not accepted.', lessonTitle)
          : trans.__('The submission of “%1” was not accepted.', lessonTitle)
      }
      action={{ label: trans.__('Dismiss'), onClick: () => void model.deleteRejected(entry.id) }}
    >
      {entry.last_error}
    </Notice>
  );
}

/** The form for a user who has not joined a classroom. */
function JoinForm({ model, trans }: { model: ClassroomModel; trans: TranslationBundle }): ReactElement {
  const [code, setCode] = useState('');
  const [error, setError] = useState<PmhError | null>(null);
  const inputId = useId();
  const join = async (event: FormEvent) => {
    event.preventDefault();
    try {
      setError(null);
      await model.join(code.trim());
    } catch (reason) {
      setError(asPmhError(reason));
    }
  };
  return (
    <form className="pmh-Join" aria-label={trans.__('Join your classroom')} onSubmit={event => void join(event)}>
      <h3>{trans.__('Join your classroom')}</h3>
      <p>{trans.__('Enter the join code from your instructor to see your lessons here.')}</p>
      <label htmlFor={inputId}>{trans.__('Join code')}</label>
      <input
        id={inputId}
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
        <Notice isUrgent icon="needs-attention" title={error.message}>
          {error.advice}
        </Notice>
      )}
    </form>
  );
}
