"""From what was heard of each cell to verdicts. Pure.

nbgrader's rule for points: a test cell counts in full if every check of it passed and it ran to its end, else not at all; an
exercise's points are the sum over its test cells. Whatever is not known to have passed gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.verdict import ExerciseVerdict, Message, Outcome, TestVerdict
from pmh_jupyter.grading.answer import Done
from pmh_jupyter.grading.explain import cell_message, stopped_message, test_message
from pmh_jupyter.grading.run import Run
from pmh_jupyter.grading.task import Limits

HIDDEN_NAME, WHOLE_NAME = "a hidden test", "the test as a whole"
# Of several outcomes of an exercise's tests the first of these is the exercise's.
WORST_FIRST = (
    Outcome.OUR_FAULT,
    Outcome.CRASHED,
    Outcome.TIMED_OUT,
    Outcome.FAILED,
    Outcome.NOT_CHECKED,
    Outcome.PASSED,
)


class NotebookVerdicts:
    """Verdicts of the exercises of one notebook that was run. `points` has the milli-points of each test cell."""

    def __init__(self, run: Run, points: Mapping[str, int], limits: Limits) -> None:
        self.run, self.points, self.limits = run, points, limits
        self.names = {number: step.grade_id for number, step in enumerate(run.plan.steps)}
        self.stopped = self._stopped()

    def of(self, exercise: Exercise) -> ExerciseVerdict:
        """The verdict of one exercise of the notebook."""
        if self.run.fault:
            return self._whole(exercise, Outcome.OUR_FAULT, Message("our-fault"))
        if self.run.plan.problem:
            return self._whole(exercise, Outcome.NOT_CHECKED, self.run.plan.problem)
        cells = {cell: tuple(self._tests(exercise, cell)) for cell in exercise.test_cells}
        tests = tuple(test for group in cells.values() for test in group)
        earned = sum(self.points.get(cell, 0) for cell, group in cells.items() if _all_passed(group))
        if exercise.manual:
            outcome, message = Outcome.NEEDS_MARKING, Message("needs-marking")
        else:
            outcome, message = _summary(tests)
        return ExerciseVerdict(exercise.grade_id, outcome, earned, exercise.max_millipoints, message, tests)

    def _whole(self, exercise: Exercise, outcome: Outcome, message: Message) -> ExerciseVerdict:
        return ExerciseVerdict(exercise.grade_id, outcome, 0, exercise.max_millipoints, message)

    def _stopped(self) -> tuple[int, Done] | None:
        """The step after which nothing more was run."""
        return next(((number, done) for number, done in self.run.done.items() if done.state == "dead"), None)

    def _tests(self, exercise: Exercise, grade_id: str) -> Iterator[TestVerdict]:
        """The verdicts of one test cell; at least one."""
        number = next((n for n, step in enumerate(self.run.plan.steps) if step.grade_id == grade_id), None)
        done = self.run.done.get(number) if number is not None else None
        if done is None:
            yield self._not_run(exercise, grade_id)
            return
        for test in done.tests:
            cause = None if test.outcome == "passed" else self._cause(exercise, test.reason)
            outcome, message = cause or (Outcome(test.outcome), test_message(test, self.limits))
            yield TestVerdict(
                grade_id=grade_id,
                name=HIDDEN_NAME if test.hidden else test.name or WHOLE_NAME,
                outcome=outcome,
                hidden=test.hidden,
                message=message,
                expected=None if test.hidden else test.expected,
                got=None if test.hidden else test.got,
                cell=self.names.get(test.cell) if test.cell is not None else None,
                line=test.line,
            )
        if done.cause:
            yield self._ended_early(grade_id, done)

    def _ended_early(self, grade_id: str, done: Done) -> TestVerdict:
        """The test cell itself was stopped, or its process died in it: it did not run to its end."""
        return TestVerdict(grade_id, WHOLE_NAME, _outcome(done), message=stopped_message(done, self.limits))

    def _not_run(self, exercise: Exercise, grade_id: str) -> TestVerdict:
        cause = self._cause(exercise, None)
        if cause:
            return TestVerdict(grade_id, WHOLE_NAME, cause[0], message=cause[1])
        if self.stopped is None:
            return TestVerdict(
                grade_id, WHOLE_NAME, Outcome.NOT_CHECKED, message=Message("out-of-time", _seconds(self.limits))
            )
        number, done = self.stopped
        name = self.names.get(number)
        if name in exercise.test_cells:
            return TestVerdict(
                grade_id, WHOLE_NAME, _outcome(done), message=stopped_message(done, self.limits), cell=name
            )
        return TestVerdict(grade_id, WHOLE_NAME, Outcome.NOT_CHECKED, message=Message("not-reached"))

    def _cause(self, exercise: Exercise, reason: str | None) -> tuple[Outcome, Message] | None:
        """What went wrong in the answer cells, where that explains a test better than its own reason (None: not run) does.

        An answer that did not run to its end explains everything; one that was never given, whatever was run; one that raised or
        is not there, only what its tests raise.
        """
        for number, done in sorted(self.run.done.items()):
            if self.names.get(number) not in exercise.solution_cells:
                continue
            error = done.fault.error if done.fault else ""
            explains = reason == "raised" or (reason is not None and error == "NotImplementedError")
            if done.cause or (error and explains):
                return _outcome(done), cell_message(done, self.limits)
        missing = self.run.plan.missing.intersection(exercise.solution_cells)
        if missing and reason == "raised":
            return Outcome.FAILED, Message("answer-not-found", {"cell": min(missing)})
        return None


def _all_passed(tests: tuple[TestVerdict, ...]) -> bool:
    return bool(tests) and all(test.outcome is Outcome.PASSED for test in tests)


def _summary(tests: tuple[TestVerdict, ...]) -> tuple[Outcome, Message]:
    for outcome in WORST_FIRST:
        for test in tests:
            if test.outcome is outcome:
                return outcome, test.message or Message("solved")
    return Outcome.OUR_FAULT, Message("our-fault")


def _outcome(done: Done) -> Outcome:
    if done.cause in ("time", "submission-time"):
        return Outcome.TIMED_OUT
    if done.cause or (done.fault and done.fault.error == "MemoryError"):
        return Outcome.CRASHED
    return Outcome.FAILED


def _seconds(limits: Limits) -> dict[str, str]:
    return {"seconds": f"{limits.submission_seconds:g}"}
