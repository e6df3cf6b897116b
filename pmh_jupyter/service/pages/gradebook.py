"""The gradebook page: one row per member, one column per exercise. Filters are part of the URL, so that a view can be shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar, TypeVar
from urllib.parse import urlencode

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.service import serializers
from pmh_jupyter.service.pages.classroom import ClassroomPage
from pmh_jupyter.storage.records import staff
from pmh_jupyter.wire.staff import GradebookReply

T = TypeVar("T")


@dataclass(frozen=True)
class GradebookFilters:
    """The filters of the page; an empty string matches everything.

    name: part of a member's name.
    lesson: slug of a lesson.
    """

    name: str = ""
    lesson: str = ""


@dataclass(frozen=True)
class ColumnSummary:
    """The summary of an exercise over the members on the page.

    solved: number of members who have solved it.
    median_attempts: formatted number; "–" if nobody has attempted it.
    """

    solved: int
    median_attempts: str


class GradebookPage(ClassroomPage):
    """Shows one page of the gradebook, with a summary row and filters."""

    permission: ClassVar[Permission] = Permission.VIEW_GRADEBOOK
    route_name = "page: gradebook"

    async def get(self, classroom: str) -> None:
        filters = GradebookFilters(
            self.get_query_argument("name", "").strip()[:80], self.get_query_argument("lesson", "")
        )
        page = self.get_query_int("page", 1, minimum=1)
        gradebook = await self.query(staff.load_gradebook, classroom, page, name_contains=filters.name)
        gradebook_reply = serializers.serialize_gradebook(gradebook)
        filtered_gradebook = filter_by_lesson(gradebook_reply, filters.lesson)
        self.render_classroom(
            "gradebook.html",
            "gradebook",
            gradebook=filtered_gradebook,
            lessons=list(dict.fromkeys((column.lesson, column.lesson_title) for column in gradebook_reply.columns)),
            filters=filters,
            column_summaries=summarize_columns(filtered_gradebook),
            link_query=make_link_query(filters),
        )


def filter_by_lesson(gradebook: GradebookReply, lesson: str) -> GradebookReply:
    """Return the gradebook with the columns of one lesson ("": all). A member's points are still those of all lessons."""
    if not lesson:
        return gradebook
    indices = [index for index, column in enumerate(gradebook.columns) if column.lesson == lesson]
    return gradebook.model_copy(
        update={
            "columns": _select_items(gradebook.columns, indices),
            "rows": tuple(
                row.model_copy(update={"cells": _select_items(row.cells, indices)}) for row in gradebook.rows
            ),
        }
    )


def _select_items(items: Sequence[T], indices: Sequence[int]) -> tuple[T, ...]:
    return tuple(items[index] for index in indices)


def summarize_columns(gradebook: GradebookReply) -> list[ColumnSummary]:
    """Summarize each column. The median includes only members with at least one attempt."""
    summaries = []
    for index in range(len(gradebook.columns)):
        cells = [row.cells[index] for row in gradebook.rows]
        attempt_counts = [cell.attempts for cell in cells if cell.attempts]
        summaries.append(
            ColumnSummary(
                sum(cell.state == "done" for cell in cells), f"{median(attempt_counts):g}" if attempt_counts else "–"
            )
        )
    return summaries


def make_link_query(filters: GradebookFilters) -> Callable[..., str]:
    """Return a function that makes query strings with the current filters and additional parameters."""
    active_filters = {name: value for name, value in vars(filters).items() if value}
    return lambda **changes: urlencode({**active_filters, **changes})


PAGES = (("classrooms/{classroom}/gradebook", GradebookPage),)
