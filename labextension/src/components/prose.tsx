/**
 * A text with its parts in `backticks` shown as code.
 */
import type { ReactElement } from 'react';

export function Prose({ text }: { text: string }): ReactElement {
  const parts = text.split(/`([^`\n]+)`/);
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
