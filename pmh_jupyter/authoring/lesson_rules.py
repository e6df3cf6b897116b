"""Rules for a lesson's folder: notebooks must be readable, cells valid, and grade_ids distinct."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pydantic import ValidationError

from pmh_jupyter.authoring.cell_rules import find_cell_problems
from pmh_jupyter.authoring.nbgrader.autotests import find_autotest_problems
from pmh_jupyter.authoring.nbgrader.course_files import AUTOTESTS_NAME
from pmh_jupyter.authoring.nbgrader.source_notebooks import add_header_and_footer, load_source
from pmh_jupyter.authoring.schema import NotebookMeta, to_problems
from pmh_jupyter.authoring.text_notebook import find_companions, is_source_notebook
from pmh_jupyter.authoring.weight_rules import find_default_weight_problems, find_weight_problems
from pmh_jupyter.domain.course import File, SharedFiles
from pmh_jupyter.domain.kernels import find_kernel
from pmh_jupyter.domain.notebook_json import Json, make_cell_label, read_grade_id, read_nbgrader_metadata
from pmh_jupyter.errors import InvalidNotebook, Problem

MAX_CELLS = 1000
NO_SHARED_FILES = SharedFiles()


def find_lesson_problems(
    slug: str,
    files: tuple[File, ...],
    concepts: frozenset[str] | None,
    *,
    shared: SharedFiles = NO_SHARED_FILES,
    reports_weak_tests: bool = True,
) -> Iterator[Problem]:
    """Report every problem of a lesson.

    concepts: the slugs of the course's concepts; None if they could not be read.
    reports_weak_tests: also report tests that cannot fail.
    """
    folder = f"{slug}/" if slug else ""
    companions = find_companions(files)
    sources = [file for file in files if is_source_notebook(file) and file.path not in companions]
    yield from _find_file_problems(folder, sources, companions)
    templates = next((file for file in files if file.path == AUTOTESTS_NAME), shared.autotests)
    notebooks: dict[str, Json] = {}
    for file in sources:
        path = f"{folder}{file.path}"
        try:
            notebook = load_source(file)[1]
        except InvalidNotebook as error:
            yield Problem(path, error.message, error.advice)
            continue
        notebooks[path] = notebook
        yield from find_autotest_problems(path, notebook, templates)
        yield from _find_metadata_problems(path, notebook)
    for path, notebook in notebooks.items():
        yield from _find_cell_problems(path, notebook, concepts, reports_weak_tests=reports_weak_tests)
    try:
        yield from _find_duplicate_ids(
            {path: add_header_and_footer(notebook["cells"], shared) for path, notebook in notebooks.items()}
        )
    except InvalidNotebook:
        return  # in the header or footer, which are checked once for the course


def _find_cell_problems(
    path: str, notebook: Json, concepts: frozenset[str] | None, *, reports_weak_tests: bool
) -> Iterator[Problem]:
    cells, metadata = notebook["cells"], notebook["metadata"]
    if len(cells) > MAX_CELLS:
        message = f"It has more than {MAX_CELLS} cells."
        yield Problem(path, message, "Split it into several notebooks.", blocks_grading=False)
    reports_weak_tests = reports_weak_tests and not find_kernel(metadata)
    for number, cell in enumerate(cells, start=1):
        label = make_cell_label(cell, number)
        yield from find_cell_problems(cell, path, label, concepts, reports_weak_tests=reports_weak_tests)
        yield from find_weight_problems(cell, metadata, path, label)


def _find_file_problems(folder: str, sources: list[File], companions: dict[str, str]) -> Iterator[Problem]:
    if not sources:
        remedy = "Add a notebook: .ipynb, or Jupytext text (.md or .py) with a header that names jupytext."
        yield Problem(folder, "The lesson has no notebook.", remedy)
    for path, notebook_path in companions.items():
        message = f"It has the same name as the notebook {notebook_path}, so it is not used."
        yield Problem(f"{folder}{path}", message, "Keep only one of them.", blocks_grading=False)


def _find_metadata_problems(path: str, notebook: Json) -> Iterator[Problem]:
    try:
        NotebookMeta.model_validate(notebook["metadata"].get("pmh", {}))
    except ValidationError as error:
        yield from to_problems(error, path)
    for message, remedy in find_default_weight_problems(notebook["metadata"]):
        yield Problem(path, message, remedy, blocks_grading=False)


def _find_duplicate_ids(notebooks: dict[str, list[Json]]) -> Iterator[Problem]:
    """Report grade_ids that occur twice. Locked cells of several notebooks may share one, as the cells of a header do."""
    locations_by_id: dict[str, list[str]] = defaultdict(list)
    graded_ids: set[str] = set()
    for path, cells in notebooks.items():
        for number, cell in enumerate(cells, start=1):
            if name := read_grade_id(cell):
                locations_by_id[name].append(f"{path}, cell {number}")
                if any(read_nbgrader_metadata(cell).get(flag) is True for flag in ("grade", "solution", "task")):
                    graded_ids.add(name)
    for name, locations in locations_by_id.items():
        notebook_count = len({location.rpartition(", ")[0] for location in locations})
        if len(locations) > (1 if name in graded_ids else notebook_count):
            message = f"The grade_id occurs {len(locations)} times: {'; '.join(locations)}."
            yield Problem(
                locations[-1].rpartition(", ")[0],
                message,
                "Give each cell a different grade_id.",
                name,
                blocks_grading=len(locations) > notebook_count,  # nbgrader's ids are unique in a notebook only
            )
