"""What a lesson's folder must satisfy: its notebooks can be read, its cells are sound, and its exercises can be told apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from pydantic import ValidationError

from pmh_jupyter.authoring.cell_checks import check_cell
from pmh_jupyter.authoring.nbgrader.autotests import check_autotests
from pmh_jupyter.authoring.nbgrader.folder import TEMPLATES
from pmh_jupyter.authoring.nbgrader.sources import framed, load_source
from pmh_jupyter.authoring.shapes import NotebookMeta, problems_of
from pmh_jupyter.authoring.text_notebook import is_notebook
from pmh_jupyter.domain.course import File, SharedFiles
from pmh_jupyter.domain.ipynb import Json, grade_id, name_of, nbgrader
from pmh_jupyter.domain.kernels import kernel_of
from pmh_jupyter.errors import InvalidNotebook, Problem

MAX_CELLS = 1000
NOTHING_SHARED = SharedFiles()


def check_lesson(
    slug: str,
    files: tuple[File, ...],
    concepts: frozenset[str] | None,
    *,
    shared: SharedFiles = NOTHING_SHARED,
    tests: bool = True,
) -> Iterator[Problem]:
    """Everything that is wrong with a lesson. `concepts` are the course's; None where they could not be read.

    With `tests` False, only what would make a grading wrong; not whether its tests can tell a wrong answer.
    """
    folder = f"{slug}/" if slug else ""
    sources = [file for file in files if is_notebook(file)]
    if not sources:
        remedy = "Add a notebook: .ipynb, or Jupytext text (.md or .py) with a header that names jupytext."
        yield Problem(folder, "The lesson has no notebook.", remedy)
    yield from _same_name(folder, files)
    templates = next((file for file in files if file.path == TEMPLATES), shared.autotests)
    notebooks: dict[str, list[Json]] = {}
    python: set[str] = set()
    for file in sources:
        path = f"{folder}{file.path}"
        try:
            notebook = load_source(file)[1]
        except InvalidNotebook as error:
            yield Problem(path, error.message, error.advice)
            continue
        notebooks[path] = notebook["cells"]
        if not kernel_of(notebook["metadata"]):
            python.add(path)
        yield from check_autotests(path, notebook, templates)
        yield from _notebook_metadata(path, notebook)
    for path, cells in notebooks.items():
        if len(cells) > MAX_CELLS:
            yield Problem(path, f"It has more than {MAX_CELLS} cells.", "Make several notebooks of it.")
        for number, cell in enumerate(cells, start=1):
            yield from check_cell(cell, path, name_of(cell, number), concepts, tests=tests and path in python)
    try:
        yield from _duplicates({path: framed(cells, shared) for path, cells in notebooks.items()})
    except InvalidNotebook:
        return  # header or footer; said once, for the course


def _notebook_metadata(path: str, notebook: Json) -> Iterator[Problem]:
    try:
        NotebookMeta.model_validate(notebook["metadata"].get("pmh", {}))
    except ValidationError as error:
        yield from problems_of(error, path)


def _same_name(folder: str, files: tuple[File, ...]) -> Iterator[Problem]:
    """Text notebooks become .ipynb: two files must not become the same one."""
    stems = Counter(file.path.rpartition(".")[0] for file in files if is_notebook(file))
    for stem, count in stems.items():
        if count > 1:
            yield Problem(f"{folder}{stem}.ipynb", f"{count} files make this notebook.", "Keep one of them.")


def _duplicates(notebooks: dict[str, list[Json]]) -> Iterator[Problem]:
    """Names that are there twice. Locked cells of several notebooks may share one: a header's do."""
    places: dict[str, list[str]] = defaultdict(list)
    asks: set[str] = set()
    for path, cells in notebooks.items():
        for number, cell in enumerate(cells, start=1):
            if name := grade_id(cell):
                places[name].append(f"{path}, cell {number}")
                if any(nbgrader(cell).get(flag) is True for flag in ("grade", "solution", "task")):
                    asks.add(name)
    for name, where in places.items():
        notebook_count = len({place.rpartition(", ")[0] for place in where})
        if len(where) > (1 if name in asks else notebook_count):
            message = f"The grade_id is there {len(where)} times: {'; '.join(where)}."
            yield Problem(where[-1].rpartition(", ")[0], message, "Give each cell a grade_id of its own.", name)
