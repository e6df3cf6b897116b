/**
 * The section of achievements: those earned first, then those in progress with their progress, then the others.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useId, useState, type ReactElement } from 'react';

import { Glyph, glyphNameOr } from '../components/glyph';
import { useSignal } from '../components/hooks';
import type { AwardReply } from '../wire';
import type { SectionProps } from './head';

export function Awards({ model, trans }: SectionProps): ReactElement | null {
  useSignal(model.changed);
  const [isOpen, setOpen] = useState(false);
  const listId = useId();
  const awards = model.outline?.awards ?? [];
  if (awards.length === 0) {
    return null;
  }
  const earned = awards.filter(award => award.earned_at !== null);
  const inProgress = awards.filter(award => award.earned_at === null && award.current > 0);
  const notStarted = awards.filter(award => award.earned_at === null && award.current === 0);
  const Caret = isOpen ? caretDownIcon.react : caretRightIcon.react;
  return (
    <section className="pmh-Awards" aria-label={trans.__('Achievements')}>
      <h3>
        <button type="button" aria-expanded={isOpen} aria-controls={listId} onClick={() => setOpen(!isOpen)}>
          <Caret tag="span" aria-hidden="true" className="pmh-Caret" />
          <span className="pmh-Clip">{trans._n('%1 achievement', '%1 achievements', earned.length)}</span>
          {inProgress.length > 0 && <span className="pmh-Count">{trans.__('%1 in progress', inProgress.length)}</span>}
        </button>
      </h3>
      <ul id={listId} hidden={!isOpen}>
        {[...earned, ...inProgress, ...notStarted].map(award => (
          <Award key={award.slug} award={award} trans={trans} />
        ))}
      </ul>
    </section>
  );
}

function Award({ award, trans }: { award: AwardReply; trans: TranslationBundle }): ReactElement {
  const isEarned = award.earned_at !== null;
  return (
    <li className="pmh-Award" data-earned={isEarned}>
      <Glyph name={glyphNameOr(award.icon, 'star')} />
      <div>
        <strong>{award.title}</strong>
        <p>{award.description}</p>
      </div>
      <span className="pmh-Count">
        {isEarned ? trans.__('Earned') : trans.__('%1 of %2', award.current, award.target)}
      </span>
    </li>
  );
}
