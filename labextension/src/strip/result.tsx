/**
 * The verdict below an exercise's answer cell. It stays as it is while a newer check runs, so that nothing moves.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Glyph } from '../components/glyph';
import { Notice } from '../components/notice';
import { Prose } from '../components/prose';
import type { TestReply, VerdictReply } from '../wire';
import { headline, pointsOf, progressWord, testWord, usualCause } from '../words';
import { isBusy, type ExerciseWork } from '../works';
import { detail, isSentence, summary } from './said';
import { useExercise, type ExerciseProps, type FoundExercise } from './strip';
import { Values } from './value';

export function Result(props: ExerciseProps): ReactElement | null {
  const found = useExercise(props);
  const work = props.model.works.get(props.lesson, props.gradeId);
  if (!found || !work || !(work.verdict || work.error || work.fault || work.state === 'waiting')) {
    return null;
  }
  const { trans } = props;
  return (
    <section
      className="pmh-Result"
      aria-label={trans.__('Result of exercise %1', found.exercise.title)}
      aria-busy={isBusy(work)}
      data-outcome={work.verdict?.outcome}
      data-work={work.id}
    >
      <Trouble work={work} trans={trans} />
      {work.verdict && <Verdict {...props} found={found} work={work} verdict={work.verdict} />}
    </section>
  );
}

/** What keeps a check from having a verdict of its own. */
function Trouble({ work, trans }: { work: ExerciseWork; trans: TranslationBundle }): ReactElement | null {
  if (work.error) {
    return (
      <Notice glyph="attention" title={work.error.message}>
        {work.error.advice}
      </Notice>
    );
  }
  if (work.fault) {
    return (
      <Notice glyph="grader-error" title={trans.__('Our fault, not yours: this try does not count.')}>
        {trans.__('%1 Check again in a moment.', work.fault)}
      </Notice>
    );
  }
  return work.state === 'waiting' ? (
    <Notice glyph="grading" title={progressWord(work, trans)}>
      {trans.__('The hub cannot be reached. Your answer is kept here and will be checked as soon as it is back.')}
    </Notice>
  ) : null;
}

interface VerdictProps extends ExerciseProps {
  readonly found: FoundExercise;
  readonly work: ExerciseWork;
  readonly verdict: VerdictReply;
}

function Verdict({ found, work, verdict, trans, onGoTo }: VerdictProps): ReactElement {
  const next = found.lesson.exercises[found.index + 1];
  const said = summary(verdict);
  const below = verdict.message ? said : usualCause(verdict.outcome, trans);
  return (
    <>
      <div className="pmh-Result-head">
        <strong className="pmh-Outcome" data-outcome={verdict.outcome}>
          <Glyph name={verdict.outcome} />
          {headline(verdict, trans)}
        </strong>
        {verdict.outcome === 'passed' && next && (
          <button
            type="button"
            className="pmh-Link"
            onClick={() => onGoTo(next.solution_cells[0] ?? next.grade_id, null)}
          >
            {trans.__('Next: %1', next.title)}
          </button>
        )}
        <span className="pmh-Result-points">
          {isBusy(work) ? progressWord(work, trans) : pointsOf(verdict.points, verdict.max_points, trans)}
        </span>
      </div>
      {below && (
        <p className="pmh-Result-message">
          <Prose text={below} />
        </p>
      )}
      {verdict.tests.length > 0 && (
        <ul className="pmh-Tests" aria-label={trans.__('Tests')}>
          {verdict.tests.map((test, index) => (
            <Test key={index} test={test} said={said} onGoTo={onGoTo} trans={trans} />
          ))}
        </ul>
      )}
      {work.healed.map((sentence, index) => (
        <p key={index} className="pmh-Result-healed">
          <Prose text={sentence} />
        </p>
      ))}
    </>
  );
}

interface TestProps {
  readonly test: TestReply;
  /** What stands above the tests already. */
  readonly said: string;
  readonly onGoTo: ExerciseProps['onGoTo'];
  readonly trans: TranslationBundle;
}

function Test({ test, said, onGoTo, trans }: TestProps): ReactElement {
  const { cell, line } = test;
  const more = detail(test, said);
  const plain = test.hidden || isSentence(test.name);
  return (
    <li className="pmh-Test" data-outcome={test.outcome}>
      <span className="pmh-Outcome" data-outcome={test.hidden && test.outcome === 'failed' ? 'not-checked' : test.outcome}>
        <Glyph name={test.hidden && test.outcome === 'failed' ? 'not-checked' : test.outcome} />
      </span>
      <span className="pmh-Test-name">{plain ? test.name : <code>{test.name}</code>}</span>
      <span className="pmh-Test-word">{testWord(test, trans)}</span>
      <div className="pmh-Test-detail">
        <Values expected={test.expected} got={test.got} trans={trans} />
        {more && (
          <p>
            <Prose text={more} />
          </p>
        )}
        {cell && line !== null && (
          <button type="button" className="pmh-Link" onClick={() => onGoTo(cell, line)}>
            {trans.__('Go to line %1', line)}
          </button>
        )}
      </div>
    </li>
  );
}
