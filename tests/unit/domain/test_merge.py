"""Merging a new release into the student's notebook: a table of rules, then properties of all merges."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pmh_jupyter.domain.merge import MergeReport, NotebookMergeResult, merge_notebook
from pmh_jupyter.domain.notebook_json import Json
from pmh_jupyter.errors import InvalidNotebook

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
NOTE = "*The lesson has changed here. Your version is above, unchanged. This is the new text:*\n\n"


def prose(name: str, source: str) -> Json:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def code(name: str, source: str, **outputs: Any) -> Json:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "source": source,
        "execution_count": None,
        "outputs": [],
    } | outputs


def answer(grade_id: str, source: str = STUB, name: str = "") -> Json:
    return _graded(grade_id, source, name, grade=False, solution=True, locked=False)


def graded(grade_id: str, source: str, points: int = 1) -> Json:
    return _graded(grade_id, source, "", grade=True, solution=False, locked=True, points=points)


def _graded(grade_id: str, source: str, name: str, **meta: Any) -> Json:
    cell = code(name or grade_id, source)
    cell["metadata"] = {
        "deletable": False,
        "editable": not meta["locked"],
        "nbgrader": {"grade_id": grade_id, "schema_version": 3, "task": False, "cell_type": "code", **meta},
    }
    return cell


def notebook(*cells: Json, **metadata: Any) -> bytes:
    data = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def cells_of(merged: NotebookMergeResult) -> list[Json]:
    cells: list[Json] = json.loads(merged.notebook)["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
    return cells


def displayed_sources(merged: NotebookMergeResult) -> list[str]:
    """The sources of the cells, with a shortened conflict note."""
    return [cell["source"].replace(NOTE, "NEW: ") for cell in cells_of(merged)]


@dataclass(frozen=True)
class Case:
    """One rule: three lists of cells, the merged sources, and the report."""

    rule: str
    base: list[Json] | None
    student: list[Json]
    release: list[Json]
    merged: list[str]
    report: MergeReport = MergeReport()


BLANK, TEST = answer("a"), graded("t", "assert a == 1")
SOLVED = answer("a", "a = 1")

CASES = [
    Case("an answer is kept", [BLANK, TEST], [SOLVED, TEST], [BLANK, TEST, prose("p", "End")], ["a = 1", "assert a == 1", "End"],
         MergeReport(added=("p",), kept=("a",))),
    Case("a test comes from the release, even if the student edited it", [BLANK, TEST], [BLANK, graded("t", "pass")],
         [BLANK, graded("t", "assert a == 2")], [STUB, "assert a == 2"], MergeReport(updated=("t",))),
    Case("unchanged text comes from the release", [prose("p", "Old")], [prose("p", "Old")], [prose("p", "New")], ["New"],
         MergeReport(updated=("p",))),
    Case("edited text is kept and the new text follows", [prose("p", "Old")], [prose("p", "Mine")], [prose("p", "New")],
         ["Mine", "NEW: New"], MergeReport(conflicts=("p",))),
    Case("both made the same change", [prose("p", "Old")], [prose("p", "New")], [prose("p", "New"), TEST], ["New", "assert a == 1"],
         MergeReport(added=("t",))),
    Case("an answer is kept if its stub changed, and the new stub cannot run", [BLANK, TEST], [SOLVED, TEST],
         [answer("a", "def a():\n    pass"), TEST], ["a = 1", "NEW: ````python\ndef a():\n    pass\n````", "assert a == 1"],
         MergeReport(conflicts=("a",))),
    Case("an answer moves with its cell", [prose("p", "One"), BLANK, TEST], [prose("p", "One"), SOLVED, TEST],
         [BLANK, TEST, prose("p", "One")], ["a = 1", "assert a == 1", "One"], MergeReport(kept=("a",))),
    Case("an answer is kept if its cell gets a new grade_id", [answer("a", name="x")], [answer("a", "a = 1", name="x")],
         [answer("b", name="x")], ["a = 1"], MergeReport(kept=("b",))),
    Case("an answer is kept if its cell gets a new grade_id and cell id, recognized by its stub", [answer("a", "def f():\n  ...")],
         [answer("a", "def f(): 1")], [answer("b", "def f():\n  ...")], ["def f(): 1"], MergeReport(kept=("b",))),
    Case("identical stubs are not paired", [answer("a"), answer("b")], [answer("a", "1"), answer("b", "2")],
         [answer("c"), answer("d")], ["1", "2", STUB, STUB], MergeReport(added=("c", "d"), kept=("a", "b"))),
    Case("an added cell stays after the cell that it followed", [prose("p", "One"), BLANK], [prose("p", "One"), BLANK, code("", "try()")],
         [BLANK, prose("q", "Two"), prose("p", "One")], [STUB, "try()", "Two", "One"], MergeReport(added=("q",))),
    Case("an added cell at the start stays there", [BLANK], [code("n", "import x"), BLANK], [prose("q", "Hi"), BLANK],
         ["import x", "Hi", STUB], MergeReport(added=("q",))),
    Case("an added cell stays in place if the cell that it followed is removed", [prose("p", "One"), prose("q", "Two")],
         [prose("p", "One"), prose("q", "Two"), code("n", "try()")], [prose("p", "One")], ["One", "try()"],
         MergeReport(removed=("q",))),
    Case("a cell that the release dropped is removed", [BLANK, TEST, prose("p", "x")], [BLANK, TEST, prose("p", "x")], [BLANK], [STUB],
         MergeReport(removed=("t", "p"))),
    Case("a dropped test is removed even if the student edited it", [BLANK, TEST], [BLANK, graded("t", "pass")], [BLANK], [STUB],
         MergeReport(removed=("t",))),
    Case("a dropped answer cell with an answer is kept", [BLANK, TEST], [SOLVED, TEST], [prose("p", "x")], ["a = 1", "x"],
         MergeReport(added=("p",), removed=("t",), kept=("a",))),
    Case("deleted text stays deleted", [prose("p", "One"), BLANK], [BLANK], [prose("p", "One"), answer("a", "new")], ["new"],
         MergeReport(updated=("a",))),
    Case("deleted text is restored if the release changed it", [prose("p", "One"), BLANK], [BLANK], [prose("p", "Two"), BLANK],
         ["Two", STUB], MergeReport(added=("p",))),
    Case("a deleted answer cell is restored", [BLANK, TEST], [TEST], [BLANK, TEST, prose("p", "x")], [STUB, "assert a == 1", "x"],
         MergeReport(added=("a", "p"))),
    Case("a copy of an answer cell is kept, too", [BLANK], [BLANK, answer("a", "copy", name="z")], [answer("a", "new")], ["new", "copy"],
         MergeReport(updated=("a",))),
    Case("an edited cell that the release locks is kept beside it", [prose("p", "One")], [prose("p", "Mine")],
         [_graded("p", "Locked", "p", grade=False, solution=False, locked=True)], ["Locked", "Mine"],
         MergeReport(updated=("p",), kept=("p",))),
    Case("without a base, answers are kept without a conflict", None, [SOLVED, TEST], [BLANK, graded("t", "assert a == 2")],
         ["a = 1", "assert a == 2"], MergeReport(updated=("t",), kept=("a",))),
    Case("without a base, other text is kept and the release's text follows", None, [prose("p", "Mine")], [prose("p", "New")],
         ["Mine", "NEW: New"], MergeReport(conflicts=("p",))),
    Case("without a base, nothing is removed", None, [prose("p", "One"), TEST, SOLVED], [BLANK], ["One", "assert a == 1", "a = 1"],
         MergeReport(kept=("t", "a"))),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_merge_follows_the_rule(case: Case) -> None:
    base = notebook(*case.base) if case.base is not None else None
    merged = merge_notebook(base, notebook(*case.student), notebook(*case.release))
    assert displayed_sources(merged) == case.merged
    assert merged.report == case.report


def test_release_cells_bring_metadata_and_student_cells_keep_outputs() -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["hi\n"]}
    student = answer("a", "a = 1") | {"outputs": [output], "execution_count": 3}
    student["metadata"]["collapsed"] = True
    stale = graded("t", "old") | {"outputs": [output], "execution_count": 4}
    merged = merge_notebook(
        notebook(BLANK, graded("t", "old"), prose("p", "x")),
        notebook(student, stale, prose("p", "x")),
        notebook(BLANK, graded("t", "new", points=5), prose("p", "y")),
    )
    first, second, _ = cells_of(merged)
    assert first["outputs"] == [output] and first["execution_count"] == 3
    assert first["metadata"]["collapsed"] is True
    assert second["outputs"] == [] and second["metadata"]["nbgrader"]["points"] == 5


def test_kept_cell_is_ordinary_and_conflict_is_marked() -> None:
    merged = merge_notebook(
        notebook(BLANK, prose("p", "1")), notebook(SOLVED, prose("p", "2")), notebook(prose("p", "3"))
    )
    kept_cell, student_cell, note = cells_of(merged)
    assert kept_cell["metadata"] == {"pmh": {"merge": "kept"}}
    assert student_cell["metadata"] == {}
    assert note["metadata"] == {"pmh": {"merge": "conflict", "of": "p"}}


def test_notebook_metadata_is_the_students_only_if_they_changed_it() -> None:
    base, release = notebook(BLANK, kernel="old"), notebook(BLANK, TEST, kernel="new")
    untouched = merge_notebook(base, notebook(BLANK, kernel="old"), release)
    touched = merge_notebook(base, notebook(BLANK, kernel="mine"), release)
    kernels = [json.loads(merged.notebook)["metadata"]["kernel"] for merged in (untouched, touched)]
    assert kernels == ["new", "mine"]


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_invalid_notebook_is_rejected(broken: int) -> None:
    versions = [notebook(BLANK), notebook(BLANK, TEST), notebook(TEST)]
    versions[broken] = b'{"cells": '
    with pytest.raises(InvalidNotebook) as refused:
        merge_notebook(*versions)
    assert "JSON" in refused.value.message


# Properties of all merges. Names and texts come from small sets, so that clashes are common.

REPEATABLE = settings(derandomize=True, deadline=None, max_examples=200)
NAMES = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.sampled_from(["one", "two", "three", STUB, "# Heading\ntext"])
RELEASE_CELLS = st.lists(
    st.one_of(
        st.builds(prose, NAMES, TEXTS),
        st.builds(code, NAMES, TEXTS),
        st.builds(answer, NAMES, TEXTS, NAMES),
        st.builds(graded, NAMES, TEXTS),
    ),
    max_size=6,
)


def _unique(cells: list[Json]) -> list[Json]:
    """Cells without repeated ids and grade_ids, as in a release."""
    seen: set[str] = set()
    unique_cells = []
    for cell in cells:
        names = {f"id {cell['id']}", f"grade {cell['metadata'].get('nbgrader', {}).get('grade_id', cell['id'] + '!')}"}
        if not names & seen:
            seen |= names
            unique_cells.append(cell)
    return unique_cells


RELEASES = RELEASE_CELLS.map(_unique)


@st.composite
def edited(draw: st.DrawFn, base: list[Json]) -> list[Json]:
    """A student's notebook: cells of the base are edited, moved, copied and deleted, and cells are added."""
    student: list[Json] = []
    for cell in draw(st.permutations(base)) if draw(st.booleans()) else base:
        change = draw(st.sampled_from(["same", "same", "edit", "delete", "copy"]))
        if change == "edit":
            student.append({**cell, "source": f"mine {draw(st.integers(0, 99))}"})
        elif change != "delete":
            student.append(cell)
        if change == "copy":
            student.append({**cell, "id": f"copy-{cell['id']}", "source": f"copy {draw(st.integers(0, 99))}"})
        if draw(st.integers(0, 3)) == 0:
            student.append(code(draw(st.sampled_from(["", "new", "a"])), f"own {draw(st.integers(0, 99))}"))
    return student


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Json], list[Json], list[Json]]:
    """Base, student's notebook and release. The release shares cells with the base, as a new release does."""
    base = draw(RELEASES)
    shared = [cell for cell in draw(st.permutations(base)) if draw(st.booleans())]
    return base, draw(edited(base)), _unique(shared + draw(RELEASES))


def _is_test(cell: Json) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("locked"))


@REPEATABLE
@given(histories(), st.booleans())
def test_no_edit_of_the_student_is_lost(history: tuple[list[Json], list[Json], list[Json]], with_base: bool) -> None:
    base, student, release = history
    merged = merge_notebook(notebook(*base) if with_base else None, notebook(*student), notebook(*release))
    unedited = {cell["source"] for cell in (base if with_base else release)}
    written = [cell["source"] for cell in student if not _is_test(cell) and cell["source"] not in unedited]
    out = displayed_sources(merged)
    for text in written:
        assert out.count(text) >= written.count(text)


@REPEATABLE
@given(histories())
def test_result_contains_the_whole_release(history: tuple[list[Json], list[Json], list[Json]]) -> None:
    base, student, release = history
    out = cells_of(merge_notebook(notebook(*base), notebook(*student), notebook(*release)))
    if base == release:
        return
    release_cells = [cell for cell in release if "nbgrader" in cell["metadata"]]
    names = {cell["metadata"]["nbgrader"]["grade_id"] for cell in release_cells}
    cells_by_id = {cell["id"]: cell for cell in out}
    for cell in release_cells:
        assert cells_by_id[cell["id"]]["metadata"]["nbgrader"] == cell["metadata"]["nbgrader"]
        assert not _is_test(cell) or cells_by_id[cell["id"]]["source"] == cell["source"]
    assert {cell["metadata"]["nbgrader"]["grade_id"] for cell in out if "nbgrader" in cell["metadata"]} <= names
    assert len(cells_by_id) == len(out) and all(cells_by_id)


@REPEATABLE
@given(histories())
def test_repeated_merge_changes_nothing(history: tuple[list[Json], list[Json], list[Json]]) -> None:
    ids = [cell["id"] for cell in history[1] if cell["id"]]
    assume(len(ids) == len(set(ids)))  # nbformat requires it, and JupyterLab ensures it
    base, student, release = (notebook(*cells) for cells in history)
    merged = merge_notebook(base, student, release).notebook
    assert merge_notebook(base, merged, release).notebook == merged
    assert merge_notebook(release, merged, release).notebook == merged


@REPEATABLE
@given(RELEASES.flatmap(lambda base: st.tuples(st.just(base), edited(base))))
def test_merge_of_the_same_release_changes_nothing(pair: tuple[list[Json], list[Json]]) -> None:
    base, student = (notebook(*cells) for cells in pair)
    assert merge_notebook(base, student, base) == NotebookMergeResult(student, MergeReport())


@REPEATABLE
@given(RELEASES, RELEASES)
def test_unchanged_notebook_becomes_the_release(base: list[Json], release: list[Json]) -> None:
    merged = merge_notebook(notebook(*base), notebook(*base), notebook(*release))
    assert cells_of(merged) == release
    assert not merged.report.conflicts and not merged.report.kept
