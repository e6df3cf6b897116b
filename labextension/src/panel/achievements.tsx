/**
 * The section of achievements: those earned first, then those in progress with their progress, then the others.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useId, useState, type ReactElement } from 'react';

import { useSignal } from '../components/hooks';
import { findIconName, Icon } from '../components/icon';
import type { AchievementReply } from '../wire';
import type { SectionProps } from './sectionProps';

export function Achievements({ model, trans }: SectionProps): ReactElement | null {
  useSignal(model.changed);
  const [isOpen, setOpen] = useState(false);
  const listId = useId();
  const achievements = model.outline?.achievements ?? [];
  if (achievements.length === 0) {
    return null;
  }
  const earned = achievements.filter(achievement => achievement.earned_at !== null);
  const inProgress = achievements.filter(achievement => achievement.earned_at === null && achievement.current > 0);
  const notStarted = achievements.filter(achievement => achievement.earned_at === null && achievement.current === 0);
  const Caret = isOpen ? caretDownIcon.react : caretRightIcon.react;
  return (
    <section className="pmh-Achievements" aria-label={trans.__('Achievements')}>
      <h3>
        <button type="button" aria-expanded={isOpen} aria-controls={listId} onClick={() => setOpen(!isOpen)}>
          <Caret tag="span" aria-hidden="true" className="pmh-Caret" />
          <span className="pmh-Achievements-title">
            <span>{trans._n('%1 achievement', '%1 achievements', earned.length)}</span>{' '}
            {inProgress.length > 0 && <span className="pmh-Count">{trans.__('%1 in progress', inProgress.length)}</span>}
          </span>
        </button>
      </h3>
      <ul id={listId} hidden={!isOpen}>
        {[...earned, ...inProgress, ...notStarted].map(achievement => (
          <Achievement key={achievement.slug} achievement={achievement} trans={trans} />
        ))}
      </ul>
    </section>
  );
}

interface AchievementProps {
  readonly achievement: AchievementReply;
  readonly trans: TranslationBundle;
}

function Achievement({ achievement, trans }: AchievementProps): ReactElement {
  const isEarned = achievement.earned_at !== null;
  return (
    <li className="pmh-Achievement" data-earned={isEarned}>
      <Icon name={findIconName(achievement.icon, 'star')} />
      <div>
        <strong>{achievement.title}</strong>
        <p>{achievement.description}</p>
      </div>
      <span className="pmh-Count">
        {isEarned ? trans.__('Earned') : trans.__('%1 of %2', achievement.current, achievement.target)}
      </span>
    </li>
  );
}
