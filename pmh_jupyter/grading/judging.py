"""How each notebook of a release is judged, found out by trying both ways on solutions whose result is known.

The reference, the untouched notebook, and the reference with one answer after another taken out are run apart and inside. Where
both ways say the same of every check, or the reference passes only apart, the notebook is judged apart, and what the judge needs to
know of the reference (see `NotebookJudging`) is kept. Where only the reference differs, and its later cells read names that test
cells bind, those names are exported and all is tried again. Functions that locked cells give to test cells are the judge's own,
unless the reference passes only with the notebook's (it may change them, or what they read). Else the notebook is judged inside, as
a whole: a single test cell that ran in the student's process would bring its hidden text there, and everything after it could read
that.
"""

from __future__ import annotations

import hashlib
import os
import symtable
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pmh_jupyter.domain.judging import GRADER, Judging, NotebookJudging, Way
from pmh_jupyter.domain.notebook import Notebook, read_notebook
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.assemble import Plan, Step, assemble, is_notebook, work_files
from pmh_jupyter.grading.matching import stub_of
from pmh_jupyter.grading.run import Run, run_plan
from pmh_jupyter.grading.task import GradingTask
from pmh_jupyter.grading.walls.base import Wall

Results = dict[str, tuple[bool, ...]]
"""By test cell: of each check whether it passed."""

KEPT = 64


class KnownJudgings:
    """What was found out, kept for the releases graded last, so that one release is tried once. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._known: OrderedDict[str, Judging] = OrderedDict()

    def of(self, task: GradingTask, wall: Wall) -> Judging:
        """The judging of the task's release; whoever asks while it is being found out waits for it. Raises as `decide`."""
        key = key_of(task)
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._known:
                    self._known.move_to_end(key)
                    return self._known[key]
            judging = decide(task, wall)
            with self._lock:
                self._known[key] = judging
                self._turns.pop(key, None)
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
            return judging


def decide(task: GradingTask, wall: Wall) -> Judging:
    """Tries every notebook of the task's release that holds tests (what was submitted does not matter). Runs cells of the
    release only, some 2 x (2 + answers) times. Raises Unavailable where the grader itself fails, NoWall where there is none.
    """
    whole = replace(task, submitted=task.sealed, only=None, hidden=True)
    files, own = work_files(whole), frozenset(file.path for file in task.sealed)
    notebooks = {file.path: read_notebook(file.path, file.content) for file in task.sealed if is_notebook(file)}

    def run(plan: Plan, judging: NotebookJudging, record: bool) -> Run:
        done = run_plan(plan, files, task.limits, wall, judging=judging, record=record, preload=task.preload, own=own)
        if done.fault:
            raise Unavailable(
                f"{plan.path} could not be tried: {done.fault}", advice="`pmh doctor` says what the grader is missing."
            )
        return done

    plans = [plan for plan in assemble(whole) if any(step.tests for step in plan.steps)]
    return Judging(GRADER, tuple(_Trial(plan, notebooks[plan.path], run).decide() for plan in plans))


class _Trial:
    """Both ways tried on one notebook."""

    def __init__(self, plan: Plan, notebook: Notebook, run: Callable[[Plan, NotebookJudging, bool], Run]) -> None:
        self.plan, self.run = plan, run
        self.stubs = {str(cell.grade_id): stub_of(cell) for cell in notebook.cells if cell.is_solution}
        self.inside = NotebookJudging(plan.path, Way.INSIDE)
        self.wanted: Results = {}
        self.said: dict[tuple[str, ...], Results] = {}

    def decide(self) -> NotebookJudging:
        if self.plan.kernel:
            return replace(self.inside, reason=Message("judged-inside-kernel", {"kernel": self.plan.kernel}))
        given = self._decide_inside()
        exports = tuple(sorted(set(_exported(self.plan.steps))))
        for helpers in dict.fromkeys((given, ())):
            judging, run = self._record(NotebookJudging(self.plan.path, given=helpers))
            if exports and results_of(run) != self.wanted:
                judging, run = self._record(NotebookJudging(self.plan.path, given=helpers, exports=exports))
            if _whole(results_of(run)) and not _whole(self.wanted):
                return judging  # tests that only a process of their own can run: they replace `builtins.input`, say
            differing = _first_difference(results_of(run), self.wanted) or self._differing(judging)
            if differing is None:
                return judging
        return replace(self.inside, cell=differing, reason=_reason(str(differing), run))

    def _decide_inside(self) -> tuple[str, ...]:
        """The reference run inside, and what it used known there as far as it still passes; the helpers that its test cells use."""
        known, run = self._record(self.inside)
        given = run.used.given if run.used else ()
        self.wanted = results_of(run)
        known = replace(known, given=given, exports=tuple(sorted(set(_kept(self.plan.steps)))))
        for judging in (known, replace(known, given=())):
            if results_of(self.run(self.plan, judging, False)) == self.wanted:
                self.inside = judging
                break
        return given

    def _record(self, judging: NotebookJudging) -> tuple[NotebookJudging, Run]:
        """The reference run; what its test cells used comes to the judging."""
        run = self.run(self.plan, judging, True)
        used = run.used
        if used is not None:
            judging = replace(
                judging,
                library={name: (module, attribute) for name, (module, attribute) in used.library.items()},
                rebinds=tuple(used.rebinds),
                shadowed=tuple(used.shadowed),
                files=tuple(used.files),
                operators={cell: tuple(names) for cell, names in used.operators.items()},
            )
        return judging, run

    def _differing(self, judging: NotebookJudging) -> str | None:
        """The first test cell of which the two ways say different things when answers are missing."""

        def both(variant: tuple[tuple[str, ...], Plan]) -> tuple[Results, Results]:
            missing, plan = variant
            apart = results_of(self.run(plan, judging, False))
            if missing not in self.said:
                self.said[missing] = results_of(self.run(plan, self.inside, False))
            return apart, self.said[missing]

        # Nobody can be graded before this is known, so all cores take part.
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for apart, inside in pool.map(both, self._variants()):
                if apart != inside:
                    pool.shutdown(wait=False, cancel_futures=True)
                    return _first_difference(apart, inside)
        return None

    def _variants(self) -> Iterator[tuple[tuple[str, ...], Plan]]:
        """The untouched notebook, then the reference without each of its answers; and which those are."""
        answers = list(dict.fromkeys(str(step.grade_id) for step in self.plan.steps if step.grade_id in self.stubs))
        yield tuple(answers), self._without(answers)
        if len(answers) > 1:
            for answer in answers:
                yield (answer,), self._without([answer])

    def _without(self, answers: list[str]) -> Plan:
        def step_of(step: Step) -> Step:
            return replace(step, source=self.stubs[str(step.grade_id)]) if step.grade_id in answers else step

        return replace(self.plan, steps=tuple(step_of(step) for step in self.plan.steps))


def results_of(run: Run) -> Results:
    """By test cell of the plan: of each check whether it passed; empty for a cell that was not run to its end."""
    results: Results = {}
    for number, step in enumerate(run.plan.steps):
        if step.tests and step.grade_id:
            done = run.done.get(number)
            whole = done is not None and done.state == "ran" and not done.cause
            results[step.grade_id] = tuple(test.outcome == "passed" for test in done.tests) if done and whole else ()
    return results


def _whole(results: Results) -> bool:
    """Whether every check passed."""
    return all(passed and all(passed) for passed in results.values())


def _causes(run: Run) -> Iterator[tuple[str, str]]:
    """By test cell: why it did not pass."""
    for number, done in run.done.items():
        name = run.plan.steps[number].grade_id
        failed = next((test for test in done.tests if test.outcome != "passed"), None)
        if name and failed:
            said = failed.text or failed.detail
            yield name, f"{failed.error or failed.reason}: {said}" if said else failed.error or failed.reason
        elif name and done.cause:
            yield name, done.cause


def _first_difference(left: Results, right: Results) -> str | None:
    return next((cell for cell in left if left[cell] != right.get(cell)), None)


def _reason(cell: str, apart: Run) -> Message:
    """Of a reference that does not pass apart, why it does not; else that the ways differ where answers are missing."""
    causes = dict(_causes(apart))
    if cell in causes:
        return Message("judged-inside-fails", {"cell": cell, "error": causes[cell]})
    return Message("judged-inside-differs", {"cell": cell})


def _exported(steps: tuple[Step, ...]) -> Iterator[str]:
    """Names that a test cell binds and that a later cell which is not one reads."""
    bound: set[str] = set()
    for step in steps:
        table = _table(step.source)
        if table is None:
            continue
        if step.tests:
            bound |= {name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported()}
        else:
            yield from bound.intersection(_read(table))


def _kept(steps: tuple[Step, ...]) -> Iterator[str]:
    """Names that a test cell binds and that a later cell, or a function of a test cell, reads: inside, others are put back."""
    bound: set[str] = set()
    for table, tests in ((_table(step.source), step.tests) for step in steps):
        if table is None:
            continue
        yield from bound.intersection(_read(table))
        if tests:
            bound |= {name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported()}
            yield from (name for inner in table.get_children() for name in bound.intersection(_read(inner)))


def _table(source: str) -> symtable.SymbolTable | None:
    """The names of a cell and its functions; None for what is no plain Python."""
    try:
        return symtable.symtable(source, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    """The notebook's names that a cell or a function of it reads."""
    top = table.get_type() == "module"
    yield from (name.get_name() for name in table.get_symbols() if name.is_referenced() and (top or name.is_global()))
    for inner in table.get_children():
        yield from _read(inner)


def key_of(task: GradingTask) -> str:
    """What a judging depends on: the release with its tests, the grader, limits and modules that are imported before."""
    digest = hashlib.sha256(repr((GRADER, task.preload, task.limits)).encode())
    for file in task.sealed:
        digest.update(repr((file.path, hashlib.sha256(file.content).hexdigest())).encode())
    return digest.hexdigest()
