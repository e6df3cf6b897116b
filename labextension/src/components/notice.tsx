/**
 * A message to the user: the event, its reason, advice, and at most one button.
 */
import type { ReactElement, ReactNode } from 'react';

import { Icon, type IconName } from './icon';
import { Prose } from './prose';

export interface NoticeProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
  /** An alert interrupts a screen reader, a status waits for a pause. */
  readonly isUrgent?: boolean;
  readonly action?: { readonly label: string; readonly onClick: () => void };
}

export function Notice({ icon, title, children, isUrgent = false, action }: NoticeProps): ReactElement {
  return (
    <div className="pmh-Notice" data-icon={icon} role={isUrgent ? 'alert' : 'status'}>
      <Icon name={icon} />
      <div className="pmh-Notice-text">
        <strong>
          <Prose text={title} />
        </strong>
        {typeof children === 'string' ? (
          <p>
            <Prose text={children} />
          </p>
        ) : (
          children
        )}
        {action && (
          <button type="button" className="pmh-Button" onClick={action.onClick}>
            {action.label}
          </button>
        )}
      </div>
    </div>
  );
}
