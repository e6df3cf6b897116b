"""From what a student handed in to what is run: the student's own cells between the release's locked and test cells.

The release gives the order, the tests and everything locked; the submission gives the answers and every other code cell, each of
which stays behind the cell that it followed. What had to be put right is told in `healed`, one message each. What another person's
tool wrote (outputs, tags, kernelspec, points) is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.markers import Mark, remove
from pmh_jupyter.domain.notebook import Cell, Notebook, read_notebook
from pmh_jupyter.domain.verdict import Flag, Message
from pmh_jupyter.grading.matching import Matches, answers, match_cells, unchanged, untouched
from pmh_jupyter.grading.shares import shares_of
from pmh_jupyter.grading.submitted import Submitted
from pmh_jupyter.grading.task import GradingTask

MOST_STEPS = 100_000


@dataclass(frozen=True)
class Step:
    """One code cell to run. `grade_id` is the release's (None for a cell of the student's own); `tests`: it is a test cell, `given`:
    another locked cell of the release's.

    `also` names the other answers that were found in this one, `behind` the release's cell that a cell of the student's own
    follows. `shares` has the milli-points of each assertion of a test cell that gives them one by one.
    """

    source: str
    grade_id: str | None = None
    tests: bool = False
    also: tuple[str, ...] = ()
    behind: str | None = None
    shares: tuple[int, ...] = ()
    given: bool = False


@dataclass(frozen=True)
class Plan:
    """One notebook to run. `missing` has the answer cells that were not found; `problem` says why nothing of it can be run;
    `kernel` is what runs it, "" for Python (the release says so, never the submission)."""

    path: str
    steps: tuple[Step, ...] = ()
    healed: tuple[Message, ...] = ()
    flags: tuple[Flag, ...] = ()
    missing: frozenset[str] = frozenset()
    problem: Message | None = None
    kernel: str = ""


def assemble(task: GradingTask) -> tuple[Plan, ...]:
    """A plan for each of the release's notebooks that holds an exercise asked for, in the release's order."""
    wanted = {exercise.notebook for exercise in task.exercises if task.only is None or exercise.grade_id in task.only}
    release = [sealed_notebook(file) for file in task.sealed if is_notebook(file)]
    submitted = Submitted((file for file in task.submitted if is_notebook(file)), release)
    # All are looked for before one is said to be extra.
    found = {notebook.path: _find(notebook, submitted) for notebook in release}
    return tuple(
        _plan(notebook, *found[notebook.path], submitted, hidden=task.hidden)
        for notebook in release
        if notebook.path in wanted
    )


def work_files(task: GradingTask) -> tuple[File, ...]:
    """The files that lie beside the notebooks while they run: the student's, with the release's own put back. No notebook."""
    files = {file.path: file for file in (*task.submitted, *task.sealed) if not is_notebook(file)}
    return tuple(files[path] for path in sorted(files) if _is_inside(path))


@lru_cache(64)
def sealed_notebook(file: File) -> Notebook:
    """A notebook of the release, which is the same for every submission; raises InvalidNotebook."""
    return read_notebook(file.path, file.content)


def is_notebook(file: File) -> bool:
    return file.path.endswith(".ipynb")


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/") and "\0" not in path and path not in ("", ".")


def _find(release: Notebook, submitted: Submitted) -> tuple[Notebook | None, Message | None]:
    """The student's version with what was healed to find it, or None with why there is none."""
    student, said = submitted.find(release)
    if student is None:
        return None, said
    if len(student.cells) + len(release.cells) > MOST_STEPS:
        return None, Message("notebook-too-long", {"notebook": release.path, "most": str(MOST_STEPS)})
    return student, said


def _plan(
    release: Notebook, student: Notebook | None, said: Message | None, submitted: Submitted, *, hidden: bool
) -> Plan:
    if student is None:
        return Plan(release.path, problem=said)
    matches = match_cells(release.cells, student.cells)
    flags: list[Flag] = []
    healed = ([said] if said else []) + submitted.extra(release)
    missing: set[str] = set()
    for number, cell in enumerate(release.cells):
        copies = [student.cells[n] for n in matches.found.get(number, [])]
        healed.extend(_healed(release.cells, number, copies, matches))
        if not copies and cell.grade_id and cell.is_solution and number not in matches.merged:
            missing.add(cell.grade_id)
        if cell.is_test and any(not unchanged(cell, copy) for copy in copies):
            flags.append(Flag("test-changed", cell.grade_id))
    steps = tuple(_Steps(release, student, matches, hidden=hidden).all())
    return Plan(release.path, steps, tuple(healed), tuple(flags), frozenset(missing), kernel=release.kernel)


class _Steps:
    """The release's cells in their order, each followed by the student's own cells that stand behind it."""

    def __init__(self, release: Notebook, student: Notebook, matches: Matches, *, hidden: bool) -> None:
        self.release, self.student, self.matches, self.hidden = release, student.cells, matches, hidden
        self.own = self._own_cells()
        self.also: dict[int, list[int]] = {}
        for ours, theirs in matches.merged.items():
            self.also.setdefault(theirs, []).append(ours)
        self.early = self._early()

    def all(self) -> Iterator[Step]:
        yield from self.own.get(None, [])
        for number, cell in enumerate(self.release.cells):
            if cell.kind == "code" and cell.grade_id:
                yield from self._answer(number, cell) if cell.is_solution else self._fixed(cell, cell.grade_id)
            yield from self.own.get(number, [])

    def _fixed(self, cell: Cell, grade_id: str) -> Iterator[Step]:
        source = cell.source if self.hidden else remove(cell.source, Mark.HIDDEN_TESTS)
        shares = shares_of(self.release, cell, hidden=self.hidden) if cell.is_test else ()
        yield Step(source, grade_id, tests=cell.is_test, shares=shares, given=not cell.is_test)

    def _answer(self, number: int, cell: Cell) -> Iterator[Step]:
        copies = {n: self.student[n] for n in self.matches.found.get(number, [])}
        run = answers(cell, list(copies.values()))
        if number in self.matches.merged:
            run = [copy for copy in run if not untouched(cell, copy)]
        numbers = [n for n, copy in copies.items() if any(copy is one for one in run) and n not in self.early]
        for n in sorted([*numbers, *(n for n, place in self.early.items() if place == number)]):
            owner = self.matches.taken[n]
            also = tuple(str(self.release.cells[ours].grade_id) for ours in self.also.get(n, []))
            yield Step(self.student[n].source, self.release.cells[owner].grade_id, also=also)

    def _early(self) -> dict[int, int]:
        """Cells that answer several exercises, and whose own place lies behind the tests of another of them: where they run."""
        early: dict[int, int] = {}
        for theirs, others in self.also.items():
            first, owner = min(others), self.matches.taken[theirs]
            if any(cell.is_test for cell in self.release.cells[first:owner]):
                early[theirs] = first
        return early

    def _own_cells(self) -> dict[int | None, list[Step]]:
        """The student's own code cells, by the cell of the release that they follow (None: before any)."""
        own: dict[int | None, list[Step]] = {}
        taken = self.matches.taken
        anchor: int | None = None
        for number, cell in enumerate(self.student):
            if number in taken:
                anchor = taken[number]
            elif cell.kind == "code" and cell.source.strip():
                behind = None if anchor is None else self.release.cells[anchor].grade_id
                own.setdefault(anchor, []).append(Step(cell.source, behind=behind))
        return own


def _healed(release: tuple[Cell, ...], number: int, copies: list[Cell], matches: Matches) -> Iterator[Message]:
    cell = release[number]
    if not cell.grade_id:
        return
    name = {"cell": cell.grade_id}
    if number in matches.merged:
        other = release[matches.taken[matches.merged[number]]].grade_id
        yield Message("healed-merged", name | {"other": str(other)})
    elif not copies and (cell.kind == "code" or cell.is_manual):
        yield Message("answer-not-found" if cell.is_solution else "healed-restored", name)
    elif not cell.is_solution:
        if cell.is_test and any(not unchanged(cell, copy) for copy in copies):
            yield Message("healed-tests", name)
    elif copies:
        yield from _healed_answer(cell, copies, name, matches, number)


def _healed_answer(
    cell: Cell, copies: list[Cell], name: dict[str, str], matches: Matches, number: int
) -> Iterator[Message]:
    if number in matches.by_content:
        yield Message("healed-place" if number in matches.by_place else "healed-label", name)
    if number in matches.moved:
        yield Message("healed-moved", name)
    elif len(copies) > 1:
        yield Message("healed-copies", name | {"count": str(len(copies))})
    if cell.kind == "code" and any(copy.kind != "code" for copy in answers(cell, copies)):
        yield Message("healed-type", name)
