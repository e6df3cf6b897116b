"""What the board's page makes of the board: one lesson's columns, the summary, links that keep the filters."""

from __future__ import annotations

from uuid import UUID

from pmh_jupyter.service.pages.gradebook import (
    ColumnSummary,
    GradebookFilters,
    filter_by_lesson,
    make_link_query,
    summarize_columns,
)
from pmh_jupyter.wire.staff import GradebookCell, GradebookColumn, GradebookReply, GradebookRow


def cell(state: str, tries: int) -> GradebookCell:
    return GradebookCell(state=state, points=float(state == "done"), attempts=tries)


def row(number: int, *cells: GradebookCell) -> GradebookRow:
    return GradebookRow(person_id=UUID(int=number), name=f"p{number}", role="student", points=7.5, cells=cells)


BOARD = GradebookReply(
    classroom="demo",
    columns=tuple(
        GradebookColumn(lesson=lesson, lesson_title=lesson.title(), grade_id=grade_id, title=grade_id, max_points=1)
        for lesson, grade_id in (("loops", "a"), ("names", "b"), ("loops", "c"))
    ),
    rows=(
        row(1, cell("done", 1), cell("new", 0), cell("begun", 5)),
        row(2, cell("done", 4), cell("new", 0), cell("done", 2)),
        row(3, cell("begun", 2), cell("new", 0), cell("new", 0)),
    ),
    page=1,
    page_count=1,
)


def test_the_summary_counts_who_solved_and_the_tries_of_those_who_tried() -> None:
    assert summarize_columns(BOARD) == [ColumnSummary(2, "2"), ColumnSummary(0, "–"), ColumnSummary(1, "3.5")]


def test_one_lesson_keeps_its_columns_and_everybodys_points() -> None:
    narrowed = filter_by_lesson(BOARD, "loops")
    assert [column.grade_id for column in narrowed.columns] == ["a", "c"]
    assert [[one.attempts for one in row.cells] for row in narrowed.rows] == [[1, 5], [4, 2], [2, 0]]
    assert [row.points for row in narrowed.rows] == [7.5, 7.5, 7.5]
    assert filter_by_lesson(BOARD, "") is BOARD
    assert filter_by_lesson(BOARD, "nobody-wrote-it").columns == ()


def test_links_keep_the_filters() -> None:
    assert make_link_query(GradebookFilters())(page=2) == "page=2"
    assert make_link_query(GradebookFilters(name="a&b", lesson="loops"))(page=2) == "name=a%26b&lesson=loops&page=2"
