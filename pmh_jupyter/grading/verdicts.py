"""From what was heard of each cell to verdicts. Pure.

nbgrader's rule for points: a test cell counts in full if every check of it passed and it ran to its end, else not at all; one that
passed and ends in a number gives that many points. Where its author asks for it, each assertion gives its share. An exercise's
points are the sum over its test cells. Whatever is not known to have passed gives nothing, and a number that cannot be points
gives nothing and is flagged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pmh_jupyter.domain.course import Exercise
from pmh_jupyter.domain.verdict import ExerciseVerdict, Flag, Message, Outcome, TestVerdict
from pmh_jupyter.grading.answer import Done
from pmh_jupyter.grading.assemble import Step
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
        self.steps = dict(enumerate(run.plan.steps))
        self.names = {number: step.grade_id for number, step in self.steps.items()}
        self.numbers = {step.grade_id: number for number, step in reversed(self.steps.items()) if step.tests}
        self.stopped = self._stopped()

    def of(self, exercise: Exercise) -> ExerciseVerdict:
        """The verdict of one exercise of the notebook."""
        if self.run.fault:
            return self._whole(exercise, Outcome.OUR_FAULT, Message("our-fault"))
        if self.run.plan.problem:
            return self._whole(exercise, Outcome.NOT_CHECKED, self.run.plan.problem)
        cells = {cell: tuple(self._tests(exercise, cell)) for cell in exercise.test_cells}
        tests = tuple(test for group in cells.values() for test in group)
        earned = sum(self._earned(cell) for cell in cells)
        if exercise.manual:
            outcome, message = Outcome.NEEDS_MARKING, Message("needs-marking")
        else:
            outcome, message = _summary(tests)
        return ExerciseVerdict(exercise.grade_id, outcome, earned, exercise.max_millipoints, message, tests)

    def flags(self) -> tuple[Flag, ...]:
        """Test cells of which no points could be read, though they passed."""
        cells = ((name, self._done(name)) for name in self.numbers if name)
        unusual = [(name, done) for name, done in cells if done and self._is_unusual(name, done)]
        return tuple(Flag("credit-unusual", name, done.unusual or f"{done.credit:g}") for name, done in unusual)

    def _whole(self, exercise: Exercise, outcome: Outcome, message: Message) -> ExerciseVerdict:
        return ExerciseVerdict(exercise.grade_id, outcome, 0, exercise.max_millipoints, message)

    def _done(self, grade_id: str) -> Done | None:
        """What is known of a test cell."""
        return self.run.done.get(self.numbers.get(grade_id, -1))

    def _stopped(self) -> tuple[int, Done] | None:
        """The step after which nothing more was run."""
        last = max(self.run.done, default=-1)
        return (last, self.run.done[last]) if last >= 0 and self.run.done[last].state == "dead" else None

    def _earned(self, grade_id: str) -> int:
        """The milli-points of one test cell: never less than 0, never more than the cell has."""
        done = self._done(grade_id)
        whole = self.points.get(grade_id, 0)
        if done is None or done.state == "dead" or self._is_unusual(grade_id, done):
            return 0
        shares = self.steps[self.numbers[grade_id]].shares
        if shares:
            # An assertion's verdict stands at its own place, up to the statement that ended the cell.
            return sum(share for share, test in zip(shares, done.tests, strict=False) if test.outcome == "passed")
        if any(test.outcome != "passed" for test in done.tests) or not done.tests:
            return 0
        return whole if done.credit is None else round(done.credit * 1000)

    def _is_unusual(self, grade_id: str, done: Done) -> bool:
        """A test cell that passed, and then gave what cannot be its points. Compared before it is rounded."""
        if done.unusual:
            return True
        return done.credit is not None and not 0 <= done.credit * 1000 <= self.points.get(grade_id, 0)

    def _tests(self, exercise: Exercise, grade_id: str) -> Iterator[TestVerdict]:
        """The verdicts of one test cell; at least one."""
        done = self._done(grade_id)
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
        if done.state == "dead":
            yield self._ended_early(grade_id, done)
        elif all(test.outcome == "passed" for test in done.tests):
            yield from self._credit(grade_id, done)

    def _credit(self, grade_id: str, done: Done) -> Iterator[TestVerdict]:
        """What a test cell that passed says of its points, where it does not give them all."""
        points = {"points": f"{self.points.get(grade_id, 0) / 1000:g}"}
        if self._is_unusual(grade_id, done):
            # Not the number itself: it may come from a hidden line.
            message = Message("credit-unusual", points | {"got": done.unusual or "another number"})
        elif done.credit is not None and round(done.credit * 1000) < self.points.get(grade_id, 0):
            message = Message("partly", points | {"earned": f"{done.credit:g}"})
        else:
            return
        yield TestVerdict(grade_id, WHOLE_NAME, Outcome.FAILED, message=message)

    def _ended_early(self, grade_id: str, done: Done) -> TestVerdict:
        """The test cell itself was stopped, or its process died in it: it did not run to its end."""
        return TestVerdict(grade_id, WHOLE_NAME, _outcome(done), message=stopped_message(done, self.limits))

    def _not_run(self, exercise: Exercise, grade_id: str) -> TestVerdict:
        cause = self._cause(exercise, None)
        if cause:
            return TestVerdict(grade_id, WHOLE_NAME, cause[0], message=cause[1])
        if self.stopped is None or self.stopped[1].cause == "submission-time":
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
            if not self._answers(self.steps.get(number), exercise, died=bool(done.cause)):
                continue
            error = done.fault.error if done.fault else ""
            explains = reason == "raised" or (reason is not None and error == "NotImplementedError")
            if done.cause or (error and explains):
                return _outcome(done), cell_message(done, self.limits)
        missing = self.run.plan.missing.intersection(exercise.solution_cells)
        if missing and reason == "raised":
            return Outcome.FAILED, Message("answer-not-found", {"cell": min(missing)})
        return None

    def _answers(self, step: Step | None, exercise: Exercise, *, died: bool) -> bool:
        """True for the answer's cells, and for a cell of the student's own behind one of them if its process died in it."""
        if step is None or step.tests:
            return False
        names = {step.grade_id, *step.also} | ({step.behind} if died else set())
        return not names.isdisjoint(exercise.solution_cells)


def _summary(tests: tuple[TestVerdict, ...]) -> tuple[Outcome, Message]:
    for outcome in WORST_FIRST:
        for test in tests:
            if test.outcome is outcome:
                return outcome, test.message or Message("solved")
    return Outcome.OUR_FAULT, Message("our-fault")


def _outcome(done: Done) -> Outcome:
    if done.cause in ("time", "submission-time"):
        return Outcome.TIMED_OUT
    if done.state == "dead" or (done.fault and done.fault.error == "MemoryError"):
        return Outcome.CRASHED
    return Outcome.FAILED


def _seconds(limits: Limits) -> dict[str, str]:
    return {"seconds": f"{limits.submission_seconds:g}"}
