/**
 * The result below an exercise's answer cell. It stays while a newer check runs, so that nothing moves.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Icon } from '../components/icon';
import { Notice } from '../components/notice';
import { Prose } from '../components/prose';
import { feedbackText } from '../feedbackTexts';
import { isBusy, type ExerciseSubmission } from '../submissions';
import { headline, likelyCause, pointsOfText, progressText } from '../texts';
import type { TestReply, VerdictReply } from '../wire';
import { Notes } from './notes';
import { isUnpassedHidden, testDetail, testLabel, testTitle } from './resultText';
import { useExercise, type ExerciseProps, type LocatedExercise } from './strip';
import { ValueDiff } from './ValueDiff';

export function Result(props: ExerciseProps): ReactElement | null {
  const located = useExercise(props);
  const submission = props.model.submissions.get(props.lesson, props.gradeId);
  if (!located || !submission || !hasContent(submission)) {
    return null;
  }
  const { trans } = props;
  return (
    <section
      className="pmh-Result"
      aria-label={trans.__('Result of exercise %1', located.exercise.title)}
      aria-busy={isBusy(submission)}
      data-outcome={submission.verdict?.outcome}
      data-submission={submission.id}
    >
      <Problem submission={submission} trans={trans} />
      {submission.verdict && (
        <Verdict {...props} located={located} submission={submission} verdict={submission.verdict} />
      )}
    </section>
  );
}

function hasContent({ verdict, error, graderError, state }: ExerciseSubmission): boolean {
  return verdict !== null || error !== null || graderError !== null || state === 'waiting';
}

interface ProblemProps {
  readonly submission: ExerciseSubmission;
  readonly trans: TranslationBundle;
}

/** Why the newest check has no verdict. */
function Problem({ submission, trans }: ProblemProps): ReactElement | null {
  const { error, graderError, state } = submission;
  if (error) {
    return (
      <Notice icon="needs-attention" title={error.message}>
        {error.advice}
      </Notice>
    );
  }
  if (graderError) {
    return (
      <Notice icon="grader-error" title={feedbackText(trans, graderError)}>
        {trans.__('Check again in a moment.')}
      </Notice>
    );
  }
  return state === 'waiting' ? (
    <Notice icon="offline" title={progressText(submission, trans)}>
      {trans.__('The hub cannot be reached. Your answer is saved and will be checked when the hub is back.')}
    </Notice>
  ) : null;
}

interface VerdictProps extends ExerciseProps {
  readonly located: LocatedExercise;
  readonly submission: ExerciseSubmission;
  readonly verdict: VerdictReply;
}

function Verdict({ located, submission, verdict, trans, onGoTo }: VerdictProps): ReactElement {
  const { outcome, reason, reason_cell: cell, reason_line: line, unevaluated_count: unevaluatedCount } = verdict;
  const tests = verdict.tests.filter(test => test.is_listed);
  const reasonText = reason ? feedbackText(trans, reason) : likelyCause(outcome, trans);
  return (
    <>
      <VerdictHead located={located} submission={submission} verdict={verdict} trans={trans} onGoTo={onGoTo} />
      {reasonText && !verdict.is_reason_in_tests && (
        <div className="pmh-Result-message">
          <p>
            <Prose text={reasonText} />
          </p>
          {cell !== null && line !== null && <GoToLine cell={cell} line={line} onGoTo={onGoTo} trans={trans} />}
        </div>
      )}
      {(tests.length > 0 || unevaluatedCount > 0) && (
        <ul className="pmh-Tests" aria-label={trans.__('Tests')}>
          {tests.map((test, index) => (
            <Test key={index} test={test} onGoTo={onGoTo} trans={trans} />
          ))}
          {unevaluatedCount > 0 && <UnevaluatedTests count={unevaluatedCount} trans={trans} />}
        </ul>
      )}
      <Notes messages={[...submission.leftOut, ...submission.repairs]} trans={trans} />
    </>
  );
}

type VerdictHeadProps = Pick<VerdictProps, 'located' | 'submission' | 'verdict' | 'trans' | 'onGoTo'>;

function VerdictHead({ located, submission, verdict, trans, onGoTo }: VerdictHeadProps): ReactElement {
  const next = located.lesson.exercises[located.index + 1];
  return (
    <div className="pmh-Result-head">
      <strong className="pmh-Outcome" data-outcome={verdict.outcome}>
        <Icon name={verdict.outcome} />
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
      <span className="pmh-Result-points">{verdictStatus(submission, verdict, trans)}</span>
    </div>
  );
}

/** The points; the progress of a newer check; or that the verdict is an earlier one, because the newer check has none. */
function verdictStatus(submission: ExerciseSubmission, verdict: VerdictReply, trans: TranslationBundle): string {
  if (isBusy(submission)) {
    return progressText(submission, trans);
  }
  const points = pointsOfText(verdict.points, verdict.max_points, trans);
  return submission.state === 'graded' ? points : trans.__('Previous result: %1', points);
}

interface TestProps {
  readonly test: TestReply;
  readonly onGoTo: ExerciseProps['onGoTo'];
  readonly trans: TranslationBundle;
}

function Test({ test, onGoTo, trans }: TestProps): ReactElement {
  const { cell, line, expected, got } = test;
  const title = testTitle(test);
  const detail = testDetail(test, trans);
  const icon = isUnpassedHidden(test) ? 'not-checked' : test.outcome;
  return (
    <li className="pmh-Test" data-outcome={test.outcome}>
      <span className="pmh-Outcome" data-outcome={icon}>
        <Icon name={icon} />
      </span>
      <div>
        <span className="pmh-Test-name">{title.isCode ? <code>{title.text}</code> : title.text}</span>
        <span className="pmh-Test-label">{testLabel(test, trans)}</span>
      </div>
      <div className="pmh-Test-detail">
        <ValueDiff expected={expected} got={got} trans={trans} />
        {detail && (
          <p>
            <Prose text={detail} />
          </p>
        )}
        {cell && line !== null && <GoToLine cell={cell} line={line} onGoTo={onGoTo} trans={trans} />}
      </div>
    </li>
  );
}

function UnevaluatedTests({ count, trans }: { count: number; trans: TranslationBundle }): ReactElement {
  return (
    <li className="pmh-Test" data-outcome="not-checked">
      <span className="pmh-Outcome" data-outcome="not-checked">
        <Icon name="not-checked" />
      </span>
      <span className="pmh-Test-name">
        {trans._n('%1 test could not be evaluated.', '%1 tests could not be evaluated.', count)}
      </span>
    </li>
  );
}

interface GoToLineProps {
  readonly cell: string;
  readonly line: number;
  readonly onGoTo: ExerciseProps['onGoTo'];
  readonly trans: TranslationBundle;
}

function GoToLine({ cell, line, onGoTo, trans }: GoToLineProps): ReactElement {
  return (
    <button type="button" className="pmh-Link" onClick={() => onGoTo(cell, line)}>
      {trans.__('Go to line %1', line)}
    </button>
  );
}
