import { nullTranslator } from '@jupyterlab/translation';
import { render, screen } from '@testing-library/react';

import { Notes } from '../src/strip/notes';
import type { MessageReply } from '../src/wire';
import { message } from './samples';

function show(messages: readonly MessageReply[]): HTMLElement {
  return render(<Notes messages={messages} trans={nullTranslator.load('pmh_jupyter')} />).container;
}

test('repairs are listed in words', () => {
  expect(show([message('repair-merged-answer', { cell: 'seconds', other: 'coins' })]).textContent).toBe(
    'Your answer to “seconds” was found in the cell for “coins”. That cell was run for both exercises.'
  );
});

test('many notes start folded', () => {
  const container = show(['a', 'b', 'c', 'd'].map(cell => message('repair-restored-tests', { cell })));
  expect(screen.getByText('4 notes on your files and cells').closest('details')?.open).toBe(false);
  expect(container.textContent).toContain('The tests in “d” were changed.');
});

test('without notes nothing is shown', () => {
  expect(show([]).childElementCount).toBe(0);
});
