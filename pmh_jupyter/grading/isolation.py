"""Decides the isolation of a release: which tests run in a separate process, and which in-process.

It runs the reference solution, the untouched notebook, and the reference without one of its answers at a time, each in a separate process
and in-process, and compares the results.

- A notebook's tests run in a separate process if the results of every test agree, or if the reference passes only there. The usage that
  the judge needs (see `NotebookUsage`) is recorded.
- If only the reference differs, and its later cells read names that test cells bind, these names are exported and the runs are repeated.
- Test helpers run in the judge, which also has copies of the data of locked cells, unless the reference passes only with the notebook's
  own, because it changes them or the names that they read.
- Otherwise all tests of the notebook run in-process. Mixing is not possible: even one test cell in the student process would expose its
  hidden tests to all later code there.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple, Protocol

from pmh_jupyter.domain.grading_task import DEFAULT_SEED, GradingTask
from pmh_jupyter.domain.isolation import GRADER_VERSION, Isolation, NotebookIsolation, NotebookUsage, ReleaseIsolation
from pmh_jupyter.domain.notebook import Notebook
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.assemble import NotebookPlan, Step, assemble_submission, read_sealed_notebook
from pmh_jupyter.grading.backends.backend import SandboxBackend
from pmh_jupyter.grading.cell_text import make_stub
from pmh_jupyter.grading.run import NotebookRun, RunContext, run_plan
from pmh_jupyter.grading.runtime.test_cells.contract_entries import Use, parse_entry
from pmh_jupyter.python_source.names import analyze_names

# For each test cell: whether each of its tests passed.
PassedByCell = dict[str, tuple[bool, ...]]

CACHE_SIZE = 64


class IsolationStore(Protocol):
    """Stores decisions beyond this process. `fingerprint` identifies the software that runs students' code. Never raises."""

    def load(self, key: str, fingerprint: str) -> ReleaseIsolation | None:
        """Return a stored decision, if there is one."""

    def save(self, key: str, fingerprint: str, isolation: ReleaseIsolation) -> None:
        """Store a decision."""


class IsolationCache:
    """The decisions for recently graded releases, so that each release is decided once. Safe to use from several threads.

    With a `store`, decisions also outlive the process.
    """

    def __init__(self, store: IsolationStore | None = None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._locks_by_key: dict[str, threading.Lock] = {}
        self._entries: OrderedDict[str, ReleaseIsolation] = OrderedDict()

    def get_or_decide(self, task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        """Return the isolation of the task's release. Raises the errors of `decide_isolation`.

        Concurrent calls for one release wait for the first.
        """
        key = compute_isolation_key(task)
        with self._lock:
            key_lock = self._locks_by_key.setdefault(key, threading.Lock())
        with key_lock:
            with self._lock:
                if key in self._entries:
                    self._entries.move_to_end(key)
                    return self._entries[key]
            isolation = self._load_or_decide(key, task, backend)
            with self._lock:
                self._entries[key] = isolation
                self._locks_by_key.pop(key, None)
                while len(self._entries) > CACHE_SIZE:
                    self._entries.popitem(last=False)
            return isolation

    def _load_or_decide(self, key: str, task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        fingerprint = backend.fingerprint(task.preload) if self._store else ""
        if self._store is None or not fingerprint:
            return decide_isolation(task, backend)
        isolation = self._store.load(key, fingerprint)
        if isolation is None:
            isolation = decide_isolation(task, backend)
            self._store.save(key, fingerprint, isolation)
        return isolation


def decide_isolation(task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
    """Decide the isolation of every notebook with tests of the task's release. The submitted files are ignored.

    Runs each notebook of the release about 2 × (2 + number of answers) times. Raises Unavailable if the grader fails, and NoSandbox if
    there is no sandbox.
    """
    full_task = replace(
        task,
        submitted_files=task.sealed_files,
        only_exercises=None,
        include_hidden_tests=True,
        seed=DEFAULT_SEED,  # the decision serves every submission, whatever its seed
    )
    reference = assemble_submission(full_task)
    context = RunContext.from_task(full_task, reference, backend)
    notebooks = {file.path: read_sealed_notebook(file) for file in task.sealed_files if file.is_ipynb}

    def run(plan: NotebookPlan, isolation: NotebookIsolation, is_recording: bool) -> NotebookRun:
        notebook_run = run_plan(plan, task.limits, context, isolation=isolation, is_recording=is_recording)
        if notebook_run.grader_error:
            raise Unavailable(
                f"{plan.path} could not be run to determine test isolation: {notebook_run.grader_error}",
                advice="Run `pmh doctor` to see what the grader is missing.",
            )
        return notebook_run

    plans = [plan for plan in reference.plans if any(step.is_test for step in plan.steps)]
    return ReleaseIsolation(
        GRADER_VERSION, tuple(_IsolationComparison(plan, notebooks[plan.path], run).decide() for plan in plans)
    )


class _InProcessDecision(NamedTuple):
    """How the tests of a notebook run in-process, with the results of the reference, and the helpers that its tests use."""

    isolation: NotebookIsolation
    results: PassedByCell
    test_helpers: tuple[str, ...]


class _IsolationComparison:
    """Runs one notebook in a separate process and in-process, and compares the results."""

    def __init__(
        self,
        plan: NotebookPlan,
        notebook: Notebook,
        run: Callable[[NotebookPlan, NotebookIsolation, bool], NotebookRun],
    ) -> None:
        self.plan, self.run = plan, run
        self.stubs = {str(cell.grade_id): make_stub(cell) for cell in notebook.cells if cell.is_solution}
        self.in_process_results: dict[tuple[str, ...], PassedByCell] = {}

    def decide(self) -> NotebookIsolation:
        if self.plan.kernel:
            reason = Message("in-process-kernel", {"kernel": self.plan.kernel})
            return NotebookIsolation(self.plan.path, Isolation.IN_PROCESS, reason=reason)
        return self._record_reference(self._decide_isolation(self._decide_in_process()))

    def _record_reference(self, isolation: NotebookIsolation) -> NotebookIsolation:
        """Run the reference as a submission, and add which of its test cells count points, which do not, and the flags that it gets.

        A number that cannot be points is neither: validation reports it, and the cell gives no points to anybody.
        """
        run = self.run(self.plan, isolation, False)
        simpler_isolation = _stop_constructing_decoys(isolation, collect_passed_tests(run))
        if simpler_isolation != isolation:
            isolation, run = simpler_isolation, self.run(self.plan, simpler_isolation, False)
        passed_results = {
            str(self.plan.steps[number].grade_id): result
            for number, result in sorted(run.results.items())
            if self.plan.steps[number].is_test
            and result.state == "completed"
            and all(test.outcome == "passed" for test in result.tests)
        }
        return replace(
            isolation,
            displaying_cells=tuple(name for name, result in passed_results.items() if result.credit_kind != "number"),
            counting_cells=tuple(name for name, result in passed_results.items() if result.credit is not None),
            reference_flags=run.flags,
        )

    def _decide_isolation(self, in_process: _InProcessDecision) -> NotebookIsolation:
        exported_names = tuple(sorted(set(_find_exported_names(self.plan.steps))))
        variants = (
            NotebookIsolation(self.plan.path, usage=NotebookUsage(test_helpers=in_process.test_helpers)),
            NotebookIsolation(self.plan.path, usage=NotebookUsage(locked_data=None)),
        )
        for variant in variants:
            isolation, run = self._record_usage(variant)
            if exported_names and collect_passed_tests(run) != in_process.results:
                isolation, run = self._record_usage(replace(variant, exported_names=exported_names))
            if _have_all_passed(collect_passed_tests(run)) and not _have_all_passed(in_process.results):
                return isolation  # these tests pass in a separate process only, for example because they replace `builtins.input`
            differing_cell = _find_first_difference(
                collect_passed_tests(run), in_process.results
            ) or self._find_differing_cell(isolation, in_process.isolation)
            if differing_cell is None:
                return isolation
        return replace(in_process.isolation, cell=differing_cell, reason=_explain_in_process(str(differing_cell), run))

    def _decide_in_process(self) -> _InProcessDecision:
        """Run the reference in-process, and add the recorded usage if the results stay the same."""
        initial_isolation = NotebookIsolation(self.plan.path, Isolation.IN_PROCESS)
        candidate, run = self._record_usage(initial_isolation)
        test_helpers = run.usage.test_helpers if run.usage else ()
        results = collect_passed_tests(run)
        for shares_test_names, find_names in (
            (False, _find_exported_names),
            (False, _find_shared_names),
            (True, _find_names_to_preserve),
        ):
            exported_names = tuple(sorted(set(find_names(self.plan.steps))))
            for helpers in dict.fromkeys((test_helpers, ())):
                usage = replace(candidate.usage, test_helpers=helpers, shares_test_names=shares_test_names)
                isolation = replace(candidate, usage=usage, exported_names=exported_names)
                if collect_passed_tests(self.run(self.plan, isolation, False)) == results:
                    return _InProcessDecision(isolation, results, test_helpers)
        return _InProcessDecision(initial_isolation, results, test_helpers)

    def _record_usage(self, isolation: NotebookIsolation) -> tuple[NotebookIsolation, NotebookRun]:
        """Run the reference, and add the usage of its test cells to the isolation."""
        run = self.run(self.plan, isolation, True)
        if run.usage is not None:
            test_helpers = tuple(name for name in isolation.usage.test_helpers if name in run.usage.test_helpers)
            isolation = replace(isolation, usage=replace(run.usage, test_helpers=test_helpers))
        return isolation, run

    def _find_differing_cell(self, isolation: NotebookIsolation, in_process: NotebookIsolation) -> str | None:
        """Find the first test cell whose results differ between separate process and in-process when answers are missing."""

        def run_in_both_isolations(variant: tuple[tuple[str, ...], NotebookPlan]) -> tuple[PassedByCell, PassedByCell]:
            missing_answers, plan = variant
            separate_results = collect_passed_tests(self.run(plan, isolation, False))
            if missing_answers not in self.in_process_results:
                self.in_process_results[missing_answers] = collect_passed_tests(self.run(plan, in_process, False))
            return separate_results, self.in_process_results[missing_answers]

        # No submission of the release can be graded before this is decided, so all cores are used.
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for separate_results, in_process_results in pool.map(
                run_in_both_isolations, self._make_variants_without_answers()
            ):
                differing_cell = _find_first_difference(separate_results, in_process_results)
                if differing_cell is not None:
                    pool.shutdown(wait=False, cancel_futures=True)
                    return differing_cell
        return None

    def _make_variants_without_answers(self) -> Iterator[tuple[tuple[str, ...], NotebookPlan]]:
        """Yield the untouched notebook, then the reference without each of its answers, with the names of the missing answers."""
        answers = list(dict.fromkeys(str(step.grade_id) for step in self.plan.steps if step.grade_id in self.stubs))
        yield tuple(answers), self._remove_answers(answers)
        if len(answers) > 1:
            for answer in answers:
                yield (answer,), self._remove_answers([answer])

    def _remove_answers(self, answers: list[str]) -> NotebookPlan:
        def replace_answer(step: Step) -> Step:
            return replace(step, source=self.stubs[str(step.grade_id)]) if step.grade_id in answers else step

        return replace(self.plan, steps=tuple(replace_answer(step) for step in self.plan.steps))


def _stop_constructing_decoys(isolation: NotebookIsolation, results: PassedByCell) -> NotebookIsolation:
    """Return the isolation without decoys in the test cells that fail, for example because they count the objects of a class."""
    contract = {
        grade_id: entries
        if all(results.get(grade_id, ()))
        else tuple(entry for entry in entries if parse_entry(entry)[1] != Use.COMPARE_CONSTRUCTED)
        for grade_id, entries in isolation.usage.contract.items()
    }
    return replace(isolation, usage=replace(isolation.usage, contract=contract))


def collect_passed_tests(run: NotebookRun) -> PassedByCell:
    """Return for each test cell of the plan whether each test passed; empty for a cell that did not run to its end."""
    results: PassedByCell = {}
    for number, step in enumerate(run.plan.steps):
        if step.is_test and step.grade_id:
            result = run.results.get(number)
            has_run_to_end = result is not None and result.state == "completed" and not result.cause
            results[step.grade_id] = (
                tuple(test.outcome == "passed" for test in result.tests) if result and has_run_to_end else ()
            )
    return results


def _have_all_passed(results: PassedByCell) -> bool:
    return all(map(_has_passed, results.values()))


def _find_failure_causes(run: NotebookRun) -> Iterator[tuple[str, str]]:
    """Yield the grade_id and the reason of each test cell that did not pass."""
    for number, result in run.results.items():
        grade_id = run.plan.steps[number].grade_id
        failed_test = next((test for test in result.tests if test.outcome != "passed"), None)
        if grade_id and failed_test:
            text, cause = failed_test.text or failed_test.detail, failed_test.error_type or str(failed_test.reason)
            yield grade_id, f"{cause}: {text}" if text else cause
        elif grade_id and result.cause:
            yield grade_id, result.cause


def _find_first_difference(left: PassedByCell, right: PassedByCell) -> str | None:
    """Return the first cell that passes as a whole on one side only. The number of failed tests does not matter."""
    return next((cell for cell in left if _has_passed(left[cell]) != _has_passed(right.get(cell, ()))), None)


def _has_passed(passed_tests: tuple[bool, ...]) -> bool:
    return bool(passed_tests) and all(passed_tests)


def _explain_in_process(cell: str, separate_run: NotebookRun) -> Message:
    """Return the reason why a reference fails in a separate process, or a message that results differ when answers are missing."""
    causes = dict(_find_failure_causes(separate_run))
    if cell in causes:
        return Message("in-process-solution-fails", {"cell": cell, "error": causes[cell]})
    return Message("in-process-results-differ", {"cell": cell})


def _find_exported_names(steps: tuple[Step, ...]) -> Iterator[str]:
    """Yield names that a test cell binds and that a later student or locked cell reads."""
    bound: frozenset[str] = frozenset()
    for step in steps:
        names = analyze_names(step.source)
        if step.is_test:
            bound |= names.bound
        else:
            yield from bound & names.global_reads


def _find_shared_names(steps: tuple[Step, ...]) -> Iterator[str]:
    """Yield names that a test cell binds and that any student or locked cell reads, for example a function that is defined before it."""
    names = [(step.is_test, analyze_names(step.source)) for step in steps]
    bound = frozenset[str]().union(*(cell.bound for is_test, cell in names if is_test))
    for is_test, cell in names:
        if not is_test:
            yield from bound & cell.global_reads


def _find_names_to_preserve(steps: tuple[Step, ...]) -> Iterator[str]:
    """Yield names that a test cell binds and that a later cell, or a function of a test cell, reads.

    If test cells bind their names in the notebook, all others are restored.
    """
    bound: frozenset[str] = frozenset()
    for step in steps:
        names = analyze_names(step.source)
        yield from bound & names.global_reads
        if step.is_test:
            bound |= names.bound
            yield from bound & names.nested_reads


def compute_isolation_key(task: GradingTask) -> str:
    """Return a hash of all inputs of the decision: release with tests, grader, limits and preloaded modules."""
    digest = hashlib.sha256(repr((GRADER_VERSION, task.preload, task.limits)).encode())
    for file in task.sealed_files:
        digest.update(repr((file.path, file.sha256)).encode())
    return digest.hexdigest()
