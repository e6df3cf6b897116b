"""What a lesson's folder must satisfy: its notebooks can be read, its cells are sound, and its exercises can be told apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from pmh_jupyter.authoring.cell_checks import check_cell
from pmh_jupyter.authoring.text_notebook import as_ipynb, is_notebook
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.ipynb import Json, grade_id, load, name_of
from pmh_jupyter.errors import InvalidNotebook, Problem

MAX_CELLS = 1000


def check_lesson(slug: str, files: tuple[File, ...], concepts: frozenset[str] | None) -> Iterator[Problem]:
    """Everything that is wrong with a lesson. `concepts` are the course's; None where they could not be read."""
    sources = [file for file in files if is_notebook(file)]
    if not sources:
        remedy = "Add a notebook: .ipynb, or Jupytext text (.md or .py) with a header that names jupytext."
        yield Problem(f"{slug}/", "The lesson has no notebook.", remedy)
    yield from _same_name(slug, files)
    notebooks: dict[str, list[Json]] = {}
    for file in sources:
        path = f"{slug}/{file.path}"
        try:
            converted = as_ipynb(file)
            notebooks[path] = load(converted.path, converted.content)["cells"]
        except InvalidNotebook as error:
            yield Problem(path, error.message, error.advice)
    for path, cells in notebooks.items():
        if len(cells) > MAX_CELLS:
            yield Problem(path, f"It has more than {MAX_CELLS} cells.", "Make several notebooks of it.")
        for number, cell in enumerate(cells, start=1):
            yield from check_cell(cell, path, name_of(cell, number), concepts)
    yield from _duplicates(notebooks)


def _same_name(slug: str, files: tuple[File, ...]) -> Iterator[Problem]:
    """Text notebooks become .ipynb: two files must not become the same one."""
    stems = Counter(file.path.rpartition(".")[0] for file in files if is_notebook(file))
    for stem, count in stems.items():
        if count > 1:
            yield Problem(f"{slug}/{stem}.ipynb", f"{count} files make this notebook.", "Keep one of them.")


def _duplicates(notebooks: dict[str, list[Json]]) -> Iterator[Problem]:
    places: dict[str, list[str]] = defaultdict(list)
    for path, cells in notebooks.items():
        for number, cell in enumerate(cells, start=1):
            if name := grade_id(cell):
                places[name].append(f"{path}, cell {number}")
    for name, where in places.items():
        if len(where) > 1:
            message = f"The grade_id is there {len(where)} times: {'; '.join(where)}."
            yield Problem(where[-1].rpartition(", ")[0], message, "Give each cell a grade_id of its own.", name)
