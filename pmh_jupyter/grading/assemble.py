"""Builds the list of cells to run from a submission and its release.

The order, the tests and all locked cells come from the release. The answers and all other code cells come from the submission; an added
cell runs after the cell that it follows in the submission. Each repair of the submission gets a message. Outputs, tags, kernelspec and
points of a submission are ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.markers import RegionKind, blank_regions
from pmh_jupyter.domain.notebook import MAX_CELLS, Cell, Notebook, read_notebook
from pmh_jupyter.domain.verdict import Flag, Message
from pmh_jupyter.grading.assertion_weights import compute_assertion_millipoints, find_assertions
from pmh_jupyter.grading.cell_matching import MAX_CANDIDATES, CellMatches, match_cells
from pmh_jupyter.grading.cell_text import has_code, has_same_end, is_unchanged, is_untouched, select_answers
from pmh_jupyter.grading.notebook_lookup import SubmittedNotebooks
from pmh_jupyter.python_source.names import analyze_names
from pmh_jupyter.python_source.resource_exhaustion import remember_results


@dataclass(frozen=True)
class Step:
    """One code cell to run.

    grade_id: of the release's cell; None for a cell that the student added.
    merged_answers: the grade_ids of other answers that were found in this cell.
    follows_cell: for a cell that the student added, the grade_id of the release's cell before it.
    assertion_millipoints: the points of each assertion, for a test cell with weights.
    is_locked: whether it is a locked cell of the release, other than a test cell.
    lacks_end: whether it is a test cell without its hidden tests, and these are its end. What the rest ends in is no number of points.
    is_untested: whether it is a test cell without its hidden tests, in which no test remains.
    """

    source: str
    grade_id: str | None = None
    is_test: bool = False
    merged_answers: tuple[str, ...] = ()
    follows_cell: str | None = None
    assertion_millipoints: tuple[int, ...] = ()
    is_locked: bool = False
    lacks_end: bool = False
    is_untested: bool = False


@dataclass(frozen=True)
class NotebookPlan:
    """One notebook to run.

    missing_answers: the grade_ids of answer cells that were not found.
    problem: the reason why the notebook cannot be run.
    kernel: the kernel that runs it, "" for Python; the release chooses it, never the submission.
    discarded_names: names that the student defined in a locked cell or a test cell, which the release's version replaces, each with the
    grade_id of that cell.
    """

    path: str
    steps: tuple[Step, ...] = ()
    repairs: tuple[Message, ...] = ()
    flags: tuple[Flag, ...] = ()
    missing_answers: frozenset[str] = frozenset()
    problem: Message | None = None
    kernel: str = ""
    discarded_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AssembledSubmission:
    """The notebooks that a grading runs.

    plans: one for each notebook of the release that has a requested exercise, in the release's order.
    visible_plans: the same without hidden tests.
    notebooks: all notebooks, without tests and with the student's answers, if the release has several: one may run another.
    """

    plans: tuple[NotebookPlan, ...]
    visible_plans: tuple[NotebookPlan, ...]
    notebooks: tuple[File, ...]


def assemble_submission(task: GradingTask) -> AssembledSubmission:
    """Assemble a submission. Parses each of its notebooks once."""
    notebooks = _MatchedNotebooks(task)
    plans = tuple(notebooks.iter_plans(include_hidden_tests=task.include_hidden_tests))
    visible_plans = tuple(notebooks.iter_plans(include_hidden_tests=False)) if task.include_hidden_tests else plans
    return AssembledSubmission(plans, visible_plans, tuple(notebooks.iter_without_tests()))


class _MatchedNotebooks:
    """The notebooks of a release, each with the student's version and its matched cells."""

    def __init__(self, task: GradingTask) -> None:
        self._task = task
        self._release = [read_sealed_notebook(file) for file in task.sealed_files if file.is_ipynb]
        self._submitted = SubmittedNotebooks((file for file in task.submitted_files if file.is_ipynb), self._release)
        # All notebooks are matched first, so that only unmatched ones are reported as extra.
        self._found = {notebook.path: _find_notebook(notebook, self._submitted) for notebook in self._release}
        self._cell_matches: dict[str, CellMatches] = {}

    def iter_plans(self, *, include_hidden_tests: bool) -> Iterator[NotebookPlan]:
        requested_notebooks = {exercise.notebook for exercise in self._task.requested_exercises}
        for notebook in self._release:
            student, message = self._found[notebook.path]
            if notebook.path not in requested_notebooks:
                continue
            if student is None:
                yield NotebookPlan(notebook.path, problem=message)
                continue
            repairs = ([message] if message else []) + self._submitted.make_extra_notebook_messages(notebook)
            matches = self._match_cells(notebook, student)
            yield _plan_notebook(notebook, student, matches, repairs, include_hidden_tests=include_hidden_tests)

    def iter_without_tests(self) -> Iterator[File]:
        """Yield the notebooks without their tests, if there are several."""
        for notebook in self._release if len(self._release) > 1 else ():
            student, _ = self._found[notebook.path]
            if student is not None:
                yield _make_notebook_without_tests(notebook, student, self._match_cells(notebook, student))

    def _match_cells(self, notebook: Notebook, student: Notebook) -> CellMatches:
        if notebook.path not in self._cell_matches:
            self._cell_matches[notebook.path] = match_cells(notebook.cells, student.cells)
        return self._cell_matches[notebook.path]


def _make_notebook_without_tests(release: Notebook, student: Notebook, matches: CellMatches) -> File:
    steps = _StepBuilder(release, student, matches, include_hidden_tests=False).build()
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": step.source}
        for step in steps
        if not step.is_test
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    try:
        content = json.dumps(notebook, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, which only an escape can express
        content = json.dumps(notebook).encode()
    return File(release.path, content)


@remember_results(64)
def read_sealed_notebook(file: File) -> Notebook:
    """Parse a notebook of the release, which is the same for every submission. Raises InvalidNotebook."""
    return read_notebook(file.path, file.content)


def _find_notebook(
    release: Notebook, submitted_notebooks: SubmittedNotebooks
) -> tuple[Notebook | None, Message | None]:
    """Return the student's version with the repair message, if one was needed; or None with the reason why there is none."""
    student, message = submitted_notebooks.find_notebook(release)
    if student is None:
        return None, message
    if len(student.cells) + len(release.cells) > MAX_CELLS:
        return None, Message("notebook-too-long", {"notebook": release.path, "max": str(MAX_CELLS)})
    return student, message


def _plan_notebook(
    release: Notebook,
    student: Notebook,
    matches: CellMatches,
    repairs: list[Message],
    *,
    include_hidden_tests: bool,
) -> NotebookPlan:
    flags: list[Flag] = []
    missing_answers: set[str] = set()
    for release_index, cell in enumerate(release.cells):
        copies = [student.cells[n] for n in matches.student_cells_of.get(release_index, [])]
        repairs.extend(_make_repair_messages(release.cells, release_index, copies, matches))
        if not copies and cell.grade_id and cell.is_solution and release_index not in matches.merged_into:
            missing_answers.add(cell.grade_id)
        if cell.is_test and any(not is_unchanged(cell, copy) for copy in copies):
            flags.append(Flag("test-changed", cell.grade_id))
    steps = tuple(_StepBuilder(release, student, matches, include_hidden_tests=include_hidden_tests).build())
    return NotebookPlan(
        release.path,
        steps,
        tuple(repairs),
        tuple(flags),
        frozenset(missing_answers),
        kernel=release.kernel,
        discarded_names=_find_discarded_names(release, student, matches),
    )


def _find_discarded_names(release: Notebook, student: Notebook, matches: CellMatches) -> dict[str, str]:
    """Find the names that a student defined in changed copies of locked cells and test cells, each with the cell's grade_id."""
    discarded_names: dict[str, str] = {}
    for release_index, cell in enumerate(release.cells):
        if cell.grade_id and not cell.is_solution and cell.cell_type == "code":
            for student_index in matches.student_cells_of.get(release_index, [])[:MAX_CANDIDATES]:
                if not is_unchanged(cell, student.cells[student_index]):
                    own_names = (
                        analyze_names(student.cells[student_index].source).bound - analyze_names(cell.source).bound
                    )
                    discarded_names |= dict.fromkeys(sorted(own_names), cell.grade_id)
    return discarded_names


class _StepBuilder:
    """Builds the steps: the release's cells in order, each followed by the cells that the student added after it."""

    def __init__(
        self, release: Notebook, student: Notebook, matches: CellMatches, *, include_hidden_tests: bool
    ) -> None:
        self.release, self.student, self.matches, self.include_hidden_tests = (
            release,
            student.cells,
            matches,
            include_hidden_tests,
        )
        self.release_cell_of = matches.release_cell_of
        self.added_steps = self._collect_added_steps()
        self.merged_answers: dict[int, list[int]] = {}
        for release_index, student_index in matches.merged_into.items():
            self.merged_answers.setdefault(student_index, []).append(release_index)
        self.early_cells = self._find_early_cells()

    def build(self) -> Iterator[Step]:
        yield from self.added_steps.get(None, [])
        for release_index, cell in enumerate(self.release.cells):
            if cell.cell_type == "code" and cell.grade_id:
                yield from (
                    self._make_answer_steps(release_index, cell)
                    if cell.is_solution
                    else self._make_release_steps(cell, cell.grade_id)
                )
            yield from self.added_steps.get(release_index, [])

    def _make_release_steps(self, cell: Cell, grade_id: str) -> Iterator[Step]:
        source = cell.source if self.include_hidden_tests else blank_regions(cell.source, RegionKind.HIDDEN_TESTS)
        assertion_millipoints = (
            compute_assertion_millipoints(self.release, cell, include_hidden_tests=self.include_hidden_tests)
            if cell.is_test
            else ()
        )
        lacks_end = cell.is_test and source != cell.source and not has_same_end(source, cell.source)
        yield Step(
            source,
            grade_id,
            is_test=cell.is_test,
            assertion_millipoints=assertion_millipoints,
            is_locked=not cell.is_test,
            lacks_end=lacks_end,
            is_untested=lacks_end and not (has_code(source) if self.release.kernel else find_assertions(source)),
        )

    def _make_answer_steps(self, release_index: int, cell: Cell) -> Iterator[Step]:
        copies = {n: self.student[n] for n in self.matches.student_cells_of.get(release_index, [])}
        selected = select_answers(cell, list(copies.values()))
        if release_index in self.matches.merged_into:
            selected = [copy for copy in selected if not is_untouched(cell, copy)]
        selected_ids = set(map(id, selected))  # two cells with the same content are equal
        selected_indices = [n for n, copy in copies.items() if id(copy) in selected_ids and n not in self.early_cells]
        early_indices = [n for n, position in self.early_cells.items() if position == release_index]
        for student_index in sorted([*selected_indices, *early_indices]):
            owner_index = self.release_cell_of[student_index]
            merged_answers = tuple(
                str(self.release.cells[n].grade_id) for n in self.merged_answers.get(student_index, [])
            )
            yield Step(
                self.student[student_index].source,
                self.release.cells[owner_index].grade_id,
                merged_answers=merged_answers,
            )

    def _find_early_cells(self) -> dict[int, int]:
        """Find cells that answer several exercises, but follow the tests of one of them. Return the earlier position at which each runs."""
        early_cells: dict[int, int] = {}
        for student_index, release_indices in self.merged_answers.items():
            first_index, owner_index = min(release_indices), self.release_cell_of[student_index]
            if any(cell.is_test for cell in self.release.cells[first_index:owner_index]):
                early_cells[student_index] = first_index
        return early_cells

    def _collect_added_steps(self) -> dict[int | None, list[Step]]:
        """Return the code cells that the student added, by the release's cell that they follow (None: before any)."""
        added_steps: dict[int | None, list[Step]] = {}
        anchor: int | None = None
        for student_index, cell in enumerate(self.student):
            if student_index in self.release_cell_of:
                anchor = self.release_cell_of[student_index]
            elif cell.cell_type == "code" and cell.source.strip():
                follows_cell = None if anchor is None else self.release.cells[anchor].grade_id
                added_steps.setdefault(anchor, []).append(Step(cell.source, follows_cell=follows_cell))
        return added_steps


def _make_repair_messages(
    release: tuple[Cell, ...], release_index: int, copies: list[Cell], matches: CellMatches
) -> Iterator[Message]:
    cell = release[release_index]
    if not cell.grade_id:
        return
    params = {"cell": cell.grade_id}
    if release_index in matches.merged_into:
        other_id = release[matches.release_cell_of[matches.merged_into[release_index]]].grade_id
        yield Message("repair-merged-answer", params | {"other": str(other_id)})
    elif not copies and (cell.cell_type == "code" or cell.is_manually_graded):
        yield Message("answer-not-found" if cell.is_solution else "repair-restored-cell", params)
    elif not cell.is_solution:
        if cell.cell_type == "code" and any(not is_unchanged(cell, copy) for copy in copies):
            yield Message("repair-restored-tests" if cell.is_test else "repair-restored-locked-cell", params)
    elif copies:
        yield from _make_answer_repair_messages(cell, copies, params, matches, release_index)


def _make_answer_repair_messages(
    cell: Cell, copies: list[Cell], params: dict[str, str], matches: CellMatches, release_index: int
) -> Iterator[Message]:
    if release_index in matches.matched_without_id:
        yield Message(
            "repair-matched-by-position" if release_index in matches.matched_by_position else "repair-lost-label",
            params,
        )
    if release_index in matches.moved_answers:
        yield Message("repair-moved-answer", params)
    elif len(copies) > 1:
        yield Message("repair-duplicate-cells", params | {"count": str(len(copies))})
    if cell.cell_type == "code" and any(copy.cell_type != "code" for copy in select_answers(cell, copies)):
        yield Message("repair-cell-type", params)
