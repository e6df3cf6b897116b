"""From what a student handed in to what is run: the student's own cells between the release's locked and test cells.

The release gives the order, the tests and everything locked; the submission gives the answers and every other code cell, each of
which stays behind the cell that it followed. What had to be put right is told in `healed`, one message each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.markers import Mark, remove
from pmh_jupyter.domain.notebook import Cell, Notebook, read_notebook
from pmh_jupyter.domain.verdict import Flag, Message
from pmh_jupyter.errors import InvalidNotebook
from pmh_jupyter.grading.matching import Matches, answers, match_cells, unchanged
from pmh_jupyter.grading.task import GradingTask


@dataclass(frozen=True)
class Step:
    """One code cell to run. `grade_id` is the release's (None for a cell of the student's own); `tests`: it is a test cell."""

    source: str
    grade_id: str | None = None
    tests: bool = False


@dataclass(frozen=True)
class Plan:
    """One notebook to run. `missing` has the answer cells that were not found; `problem` says why nothing of it can be run."""

    path: str
    steps: tuple[Step, ...] = ()
    healed: tuple[Message, ...] = ()
    flags: tuple[Flag, ...] = ()
    missing: frozenset[str] = frozenset()
    problem: Message | None = None


def assemble(task: GradingTask) -> tuple[Plan, ...]:
    """A plan for each of the release's notebooks that holds an exercise asked for, in the release's order."""
    wanted = {exercise.notebook for exercise in task.exercises if task.only is None or exercise.grade_id in task.only}
    release = [read_notebook(file.path, file.content) for file in task.sealed if is_notebook(file)]
    submitted = _Submitted(task.submitted, {notebook.path for notebook in release})
    return tuple(_plan(notebook, submitted, hidden=task.hidden) for notebook in release if notebook.path in wanted)


def work_files(task: GradingTask) -> tuple[File, ...]:
    """The files that lie beside the notebooks while they run: the student's, with the release's own put back. No notebook."""
    files = {file.path: file for file in (*task.submitted, *task.sealed) if not is_notebook(file)}
    return tuple(files[path] for path in sorted(files) if _is_inside(path))


def is_notebook(file: File) -> bool:
    return file.path.endswith(".ipynb")


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/") and "\0" not in path and path not in ("", ".")


class _Submitted:
    """The notebooks of a submission; one under another name than the release's is found by the grade_ids in it.

    Where one is wanted and one was handed in, it is taken for that whatever its name.
    """

    def __init__(self, files: tuple[File, ...], names: set[str]) -> None:
        self.files = {file.path: file for file in files if is_notebook(file)}
        self.sure = len(self.files) == len(names) == 1
        self.strangers = [path for path in self.files if path not in names]

    def find(self, wanted: Notebook) -> tuple[Notebook | None, Message | None]:
        """The student's version and what was healed to find it; raises InvalidNotebook for one that cannot be read."""
        if wanted.path in self.files:
            return read_notebook(wanted.path, self.files[wanted.path].content), None
        ids = set(wanted.by_grade_id())
        best: tuple[int, Notebook] | None = None
        for path in self.strangers:
            try:
                notebook = read_notebook(path, self.files[path].content)
            except InvalidNotebook:
                continue
            shared = len(ids & set(notebook.by_grade_id())) or int(self.sure)
            if shared > (best[0] if best else 0):
                best = shared, notebook
        if best is None:
            return None, None
        self.strangers.remove(best[1].path)
        return best[1], Message("healed-notebook-name", {"found": best[1].path, "wanted": wanted.path})


def _plan(release: Notebook, submitted: _Submitted, *, hidden: bool) -> Plan:
    try:
        student, renamed = submitted.find(release)
    except InvalidNotebook:
        return Plan(release.path, problem=Message("notebook-unreadable", {"notebook": release.path}))
    if student is None:
        return Plan(release.path, problem=Message("notebook-missing", {"notebook": release.path}))
    matches = match_cells(release.cells, student.cells)
    flags: list[Flag] = []
    healed = [renamed] if renamed else []
    missing: set[str] = set()
    for number, cell in enumerate(release.cells):
        copies = [student.cells[n] for n in matches.found.get(number, [])]
        healed.extend(_healed(cell, copies, by_content=number in matches.by_content))
        if not copies and cell.grade_id and cell.is_solution:
            missing.add(cell.grade_id)
        if cell.is_test and any(not unchanged(cell, copy) for copy in copies):
            flags.append(Flag("test-changed", cell.grade_id))
    steps = tuple(_steps(release.cells, student.cells, matches, hidden=hidden))
    return Plan(release.path, steps, tuple(healed), tuple(flags), frozenset(missing))


def _steps(release: tuple[Cell, ...], student: tuple[Cell, ...], matches: Matches, *, hidden: bool) -> Iterator[Step]:
    """The release's cells in their order, each followed by the student's own cells that stand behind it."""
    own = _own_cells(student, matches)
    yield from own.get(None, [])
    for number, cell in enumerate(release):
        copies = [student[n] for n in matches.found.get(number, [])]
        if cell.kind == "code" and cell.grade_id:
            if cell.is_solution:
                yield from (Step(copy.source, cell.grade_id) for copy in answers(cell, copies))
            else:
                source = cell.source if hidden else remove(cell.source, Mark.HIDDEN_TESTS)
                yield Step(source, cell.grade_id, tests=cell.is_test)
        yield from own.get(number, [])


def _own_cells(student: tuple[Cell, ...], matches: Matches) -> dict[int | None, list[Step]]:
    """The student's own code cells, by the cell of the release that they follow (None: before any)."""
    own: dict[int | None, list[Step]] = {}
    taken = matches.taken
    anchor: int | None = None
    for number, cell in enumerate(student):
        if number in taken:
            anchor = taken[number]
        elif cell.kind == "code":
            own.setdefault(anchor, []).append(Step(cell.source))
    return own


def _healed(cell: Cell, copies: list[Cell], *, by_content: bool) -> Iterator[Message]:
    if not cell.grade_id:
        return
    name = {"cell": cell.grade_id}
    if not copies:
        if cell.kind == "code" or cell.is_manual:
            yield Message("answer-not-found" if cell.is_solution else "healed-restored", name)
        return
    if cell.is_test and any(not unchanged(cell, copy) for copy in copies):
        yield Message("healed-tests", name)
    if by_content and cell.is_solution:
        yield Message("healed-label", name)
    if len(copies) > 1 and cell.is_solution:
        yield Message("healed-copies", name | {"count": str(len(copies))})
    if cell.kind == "code" and cell.is_solution and any(copy.kind != "code" for copy in copies):
        yield Message("healed-type", name)
