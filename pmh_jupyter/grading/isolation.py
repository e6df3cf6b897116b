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

from pmh_jupyter.domain.isolation import GRADER_VERSION, Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.notebook import Notebook, read_notebook
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.assemble import NotebookPlan, Step, assemble_plans, collect_working_files, is_notebook
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.cell_matching import stub_of
from pmh_jupyter.grading.run import NotebookRun, run_plan
from pmh_jupyter.grading.task import GradingTask

PassedByCell = dict[str, tuple[bool, ...]]
"""By test cell: of each check whether it passed."""

CACHE_SIZE = 64


class IsolationCache:
    """What was found out, kept for the releases graded last, so that one release is tried once. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks_by_key: dict[str, threading.Lock] = {}
        self._entries: OrderedDict[str, ReleaseIsolation] = OrderedDict()

    def get_or_decide(self, task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        """The judging of the task's release; whoever asks while it is being found out waits for it. Raises as `decide`."""
        key = isolation_key(task)
        with self._lock:
            key_lock = self._locks_by_key.setdefault(key, threading.Lock())
        with key_lock:
            with self._lock:
                if key in self._entries:
                    self._entries.move_to_end(key)
                    return self._entries[key]
            isolation = decide_isolation(task, backend)
            with self._lock:
                self._entries[key] = isolation
                self._locks_by_key.pop(key, None)
                while len(self._entries) > CACHE_SIZE:
                    self._entries.popitem(last=False)
            return isolation


def decide_isolation(task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
    """Tries every notebook of the task's release that holds tests (what was submitted does not matter). Runs cells of the
    release only, some 2 x (2 + answers) times. Raises Unavailable where the grader itself fails, NoWall where there is none.
    """
    full_task = replace(task, submitted_files=task.sealed_files, only_exercises=None, include_hidden_tests=True)
    files, release_paths = collect_working_files(full_task), frozenset(file.path for file in task.sealed_files)
    notebooks = {file.path: read_notebook(file.path, file.content) for file in task.sealed_files if is_notebook(file)}

    def run(plan: NotebookPlan, isolation: NotebookIsolation, record_usage: bool) -> NotebookRun:
        notebook_run = run_plan(
            plan,
            files,
            task.limits,
            backend,
            isolation=isolation,
            record_usage=record_usage,
            preload=task.preload,
            release_paths=release_paths,
        )
        if notebook_run.grader_error:
            raise Unavailable(
                f"{plan.path} could not be tried: {notebook_run.grader_error}",
                advice="`pmh doctor` says what the grader is missing.",
            )
        return notebook_run

    plans = [plan for plan in assemble_plans(full_task) if any(step.is_test for step in plan.steps)]
    return ReleaseIsolation(
        GRADER_VERSION, tuple(_IsolationTrial(plan, notebooks[plan.path], run).decide() for plan in plans)
    )


class _IsolationTrial:
    """Both ways tried on one notebook."""

    def __init__(
        self,
        plan: NotebookPlan,
        notebook: Notebook,
        run: Callable[[NotebookPlan, NotebookIsolation, bool], NotebookRun],
    ) -> None:
        self.plan, self.run = plan, run
        self.stubs = {str(cell.grade_id): stub_of(cell) for cell in notebook.cells if cell.is_solution}
        self.in_process = NotebookIsolation(plan.path, Isolation.IN_PROCESS)
        self.expected_results: PassedByCell = {}
        self.in_process_results: dict[tuple[str, ...], PassedByCell] = {}

    def decide(self) -> NotebookIsolation:
        if self.plan.kernel:
            return replace(self.in_process, reason=Message("in-process-kernel", {"kernel": self.plan.kernel}))
        test_helpers = self._decide_in_process()
        exported_names = tuple(sorted(set(_find_exported_names(self.plan.steps))))
        for helpers in dict.fromkeys((test_helpers, ())):
            isolation, run = self._record_usage(NotebookIsolation(self.plan.path, test_helpers=helpers))
            if exported_names and passed_by_cell(run) != self.expected_results:
                isolation, run = self._record_usage(
                    NotebookIsolation(self.plan.path, test_helpers=helpers, exported_names=exported_names)
                )
            if _all_passed(passed_by_cell(run)) and not _all_passed(self.expected_results):
                return isolation  # tests that only a process of their own can run: they replace `builtins.input`, say
            differing_cell = _first_difference(passed_by_cell(run), self.expected_results) or self._find_differing_cell(
                isolation
            )
            if differing_cell is None:
                return isolation
        return replace(self.in_process, cell=differing_cell, reason=_explain_in_process(str(differing_cell), run))

    def _decide_in_process(self) -> tuple[str, ...]:
        """The reference run inside, and what it used known there as far as it still passes; the helpers that its test cells use."""
        candidate, run = self._record_usage(self.in_process)
        test_helpers = run.usage.test_helpers if run.usage else ()
        self.expected_results = passed_by_cell(run)
        candidate = replace(
            candidate,
            test_helpers=test_helpers,
            exported_names=tuple(sorted(set(_find_names_to_keep(self.plan.steps)))),
        )
        for isolation in (candidate, replace(candidate, test_helpers=())):
            if passed_by_cell(self.run(self.plan, isolation, False)) == self.expected_results:
                self.in_process = isolation
                break
        return test_helpers

    def _record_usage(self, isolation: NotebookIsolation) -> tuple[NotebookIsolation, NotebookRun]:
        """The reference run; what its test cells used comes to the judging."""
        run = self.run(self.plan, isolation, True)
        usage = run.usage
        if usage is not None:
            isolation = replace(
                isolation,
                library_names={name: (module, attribute) for name, (module, attribute) in usage.library_names.items()},
                rebound_names=tuple(usage.rebound_names),
                shadowed_builtins=tuple(usage.shadowed_builtins),
                changed_files=tuple(usage.changed_files),
                operators={cell: tuple(names) for cell, names in usage.operators.items()},
            )
        return isolation, run

    def _find_differing_cell(self, isolation: NotebookIsolation) -> str | None:
        """The first test cell of which the two ways say different things when answers are missing."""

        def run_both_ways(variant: tuple[tuple[str, ...], NotebookPlan]) -> tuple[PassedByCell, PassedByCell]:
            missing_answers, plan = variant
            separate_results = passed_by_cell(self.run(plan, isolation, False))
            if missing_answers not in self.in_process_results:
                self.in_process_results[missing_answers] = passed_by_cell(self.run(plan, self.in_process, False))
            return separate_results, self.in_process_results[missing_answers]

        # Nobody can be graded before this is known, so all cores take part.
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for separate_results, in_process_results in pool.map(run_both_ways, self._variants_without_answers()):
                if separate_results != in_process_results:
                    pool.shutdown(wait=False, cancel_futures=True)
                    return _first_difference(separate_results, in_process_results)
        return None

    def _variants_without_answers(self) -> Iterator[tuple[tuple[str, ...], NotebookPlan]]:
        """The untouched notebook, then the reference without each of its answers; and which those are."""
        answers = list(dict.fromkeys(str(step.grade_id) for step in self.plan.steps if step.grade_id in self.stubs))
        yield tuple(answers), self._without_answers(answers)
        if len(answers) > 1:
            for answer in answers:
                yield (answer,), self._without_answers([answer])

    def _without_answers(self, answers: list[str]) -> NotebookPlan:
        def replace_answer(step: Step) -> Step:
            return replace(step, source=self.stubs[str(step.grade_id)]) if step.grade_id in answers else step

        return replace(self.plan, steps=tuple(replace_answer(step) for step in self.plan.steps))


def passed_by_cell(run: NotebookRun) -> PassedByCell:
    """By test cell of the plan: of each check whether it passed; empty for a cell that was not run to its end."""
    results: PassedByCell = {}
    for number, step in enumerate(run.plan.steps):
        if step.is_test and step.grade_id:
            result = run.results.get(number)
            ran_to_end = result is not None and result.state == "completed" and not result.cause
            results[step.grade_id] = (
                tuple(test.outcome == "passed" for test in result.tests) if result and ran_to_end else ()
            )
    return results


def _all_passed(results: PassedByCell) -> bool:
    """Whether every check passed."""
    return all(passed_tests and all(passed_tests) for passed_tests in results.values())


def _failure_causes(run: NotebookRun) -> Iterator[tuple[str, str]]:
    """By test cell: why it did not pass."""
    for number, result in run.results.items():
        grade_id = run.plan.steps[number].grade_id
        failed = next((test for test in result.tests if test.outcome != "passed"), None)
        if grade_id and failed:
            text = failed.text or failed.detail
            yield (
                grade_id,
                f"{failed.error_type or failed.reason}: {text}" if text else failed.error_type or failed.reason,
            )
        elif grade_id and result.cause:
            yield grade_id, result.cause


def _first_difference(left: PassedByCell, right: PassedByCell) -> str | None:
    return next((cell for cell in left if left[cell] != right.get(cell)), None)


def _explain_in_process(cell: str, separate_run: NotebookRun) -> Message:
    """Of a reference that does not pass apart, why it does not; else that the ways differ where answers are missing."""
    causes = dict(_failure_causes(separate_run))
    if cell in causes:
        return Message("in-process-solution-fails", {"cell": cell, "error": causes[cell]})
    return Message("in-process-results-differ", {"cell": cell})


def _find_exported_names(steps: tuple[Step, ...]) -> Iterator[str]:
    """Names that a test cell binds and that a later cell which is not one reads."""
    bound: set[str] = set()
    for step in steps:
        table = _symbol_table(step.source)
        if table is None:
            continue
        if step.is_test:
            bound |= {
                symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()
            }
        else:
            yield from bound.intersection(_names_read(table))


def _find_names_to_keep(steps: tuple[Step, ...]) -> Iterator[str]:
    """Names that a test cell binds and that a later cell, or a function of a test cell, reads: inside, others are put back."""
    bound: set[str] = set()
    for table, is_test in ((_symbol_table(step.source), step.is_test) for step in steps):
        if table is None:
            continue
        yield from bound.intersection(_names_read(table))
        if is_test:
            bound |= {
                symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()
            }
            yield from (name for inner in table.get_children() for name in bound.intersection(_names_read(inner)))


def _symbol_table(source: str) -> symtable.SymbolTable | None:
    """The names of a cell and its functions; None for what is no plain Python."""
    try:
        return symtable.symtable(source, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None


def _names_read(table: symtable.SymbolTable) -> Iterator[str]:
    """The notebook's names that a cell or a function of it reads."""
    is_module = table.get_type() == "module"
    yield from (
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (is_module or symbol.is_global())
    )
    for inner in table.get_children():
        yield from _names_read(inner)


def isolation_key(task: GradingTask) -> str:
    """What a judging depends on: the release with its tests, the grader, limits and modules that are imported before."""
    digest = hashlib.sha256(repr((GRADER_VERSION, task.preload, task.limits)).encode())
    for file in task.sealed_files:
        digest.update(repr((file.path, hashlib.sha256(file.content).hexdigest())).encode())
    return digest.hexdigest()
