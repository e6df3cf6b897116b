"""The gradebook page: columns of one lesson, the summary row, and links that keep the filters."""

from __future__ import annotations

from uuid import UUID

from pmh_jupyter.service.pages.gradebook import (
    ColumnSummary,
    GradebookFilters,
    filter_by_lesson,
    make_link_query,
    summarize_columns,
)
from pmh_jupyter.wire.outline import ProgressStateName
from pmh_jupyter.wire.staff import GradebookCellReply, GradebookColumnReply, GradebookReply, GradebookRowReply


def cell(state: ProgressStateName, attempts: int) -> GradebookCellReply:
    return GradebookCellReply(state=state, points=float(state == "done"), attempts=attempts)


def row(number: int, *cells: GradebookCellReply) -> GradebookRowReply:
    return GradebookRowReply(person_id=UUID(int=number), name=f"p{number}", role="student", points=7.5, cells=cells)


GRADEBOOK = GradebookReply(
    classroom="demo",
    columns=tuple(
        GradebookColumnReply(
            lesson=lesson, lesson_title=lesson.title(), grade_id=grade_id, title=grade_id, max_points=1
        )
        for lesson, grade_id in (("loops", "a"), ("names", "b"), ("loops", "c"))
    ),
    rows=(
        row(1, cell("done", 1), cell("not-started", 0), cell("in-progress", 5)),
        row(2, cell("done", 4), cell("not-started", 0), cell("done", 2)),
        row(3, cell("in-progress", 2), cell("not-started", 0), cell("not-started", 0)),
    ),
    page=1,
    page_count=1,
)


def test_summary_counts_solvers_and_takes_the_median_of_members_with_attempts() -> None:
    assert summarize_columns(GRADEBOOK) == [ColumnSummary(2, "2"), ColumnSummary(0, "–"), ColumnSummary(1, "3.5")]


def test_lesson_filter_keeps_its_columns_and_the_members_total_points() -> None:
    filtered = filter_by_lesson(GRADEBOOK, "loops")
    assert [column.grade_id for column in filtered.columns] == ["a", "c"]
    assert [[cell.attempts for cell in row.cells] for row in filtered.rows] == [[1, 5], [4, 2], [2, 0]]
    assert [row.points for row in filtered.rows] == [7.5, 7.5, 7.5]


def test_empty_lesson_filter_keeps_all_columns() -> None:
    assert filter_by_lesson(GRADEBOOK, "") is GRADEBOOK


def test_unknown_lesson_filter_matches_no_column() -> None:
    assert filter_by_lesson(GRADEBOOK, "no-such-lesson").columns == ()


def test_links_keep_the_filters() -> None:
    assert make_link_query(GradebookFilters())(page=2) == "page=2"
    assert make_link_query(GradebookFilters(name="a&b", lesson="loops"))(page=2) == "name=a%26b&lesson=loops&page=2"
