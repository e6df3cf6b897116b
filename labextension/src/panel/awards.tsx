/**
 * Achievements: those earned, and how near the next ones are.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useId, useState, type ReactElement } from 'react';

import { Glyph, glyphOr } from '../components/glyph';
import { useChanged } from '../components/hooks';
import type { AwardReply } from '../wire';
import type { SectionProps } from './head';

export function Awards({ model, trans }: SectionProps): ReactElement | null {
  useChanged(model.changed);
  const [open, setOpen] = useState(false);
  const id = useId();
  const awards = model.outline?.awards ?? [];
  if (awards.length === 0) {
    return null;
  }
  const earned = awards.filter(award => award.earned_at !== null);
  const near = awards.filter(award => award.earned_at === null && award.reached > 0);
  const far = awards.filter(award => award.earned_at === null && award.reached === 0);
  const Caret = open ? caretDownIcon.react : caretRightIcon.react;
  return (
    <section className="pmh-Awards" aria-label={trans.__('Achievements')}>
      <h3>
        <button type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          <Caret tag="span" aria-hidden="true" className="pmh-Caret" />
          <span className="pmh-Clip">{trans._n('%1 achievement', '%1 achievements', earned.length)}</span>
          {near.length > 0 && <span className="pmh-Count">{trans.__('%1 near', near.length)}</span>}
        </button>
      </h3>
      <ul id={id} hidden={!open}>
        {[...earned, ...near, ...far].map(award => (
          <Award key={award.slug} award={award} trans={trans} />
        ))}
      </ul>
    </section>
  );
}

function Award({ award, trans }: { award: AwardReply; trans: TranslationBundle }): ReactElement {
  const earned = award.earned_at !== null;
  return (
    <li className="pmh-Award" data-earned={earned}>
      <Glyph name={glyphOr(award.icon, 'star')} />
      <div>
        <strong>{award.title}</strong>
        <p>{award.description}</p>
      </div>
      <span className="pmh-Count">
        {earned ? trans.__('earned') : trans.__('%1 of %2', award.reached, award.needed)}
      </span>
    </li>
  );
}
