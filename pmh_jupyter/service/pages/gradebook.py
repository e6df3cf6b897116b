"""The instructor's page: members down, exercises across. What is filtered stands in the address, so that a view can be shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar, TypeVar
from urllib.parse import urlencode

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import BadInput
from pmh_jupyter.service import serializers
from pmh_jupyter.service.pages.classroom import ClassroomPage
from pmh_jupyter.storage.records import staff
from pmh_jupyter.wire.staff import GradebookReply

T = TypeVar("T")


@dataclass(frozen=True)
class GradebookFilters:
    """What the reader narrowed the board to; empty: everything."""

    name: str = ""
    lesson: str = ""


@dataclass(frozen=True)
class ColumnSummary:
    """An exercise's line of the summary, over the members on the page: how many solved it, and the tries at the median."""

    solved: int
    median_attempts: str


class GradebookPage(ClassroomPage):
    """The table, its summary row, its filters and its pages."""

    permission: ClassVar[Permission] = Permission.VIEW_GRADEBOOK
    route_name = "page: board"

    async def get(self, classroom: str) -> None:
        filters = GradebookFilters(
            self.get_query_argument("name", "").strip()[:80], self.get_query_argument("lesson", "")
        )
        page = self._page_number()
        gradebook = await self.service.run_blocking(
            staff.load_gradebook, self.service.database, classroom, page, name_contains=filters.name
        )
        gradebook_reply = serializers.gradebook_reply(gradebook)
        self.render_classroom(
            "board.html",
            "board",
            board=filter_by_lesson(gradebook_reply, filters.lesson),
            lessons=list(dict.fromkeys((column.lesson, column.lesson_title) for column in gradebook_reply.columns)),
            filters=filters,
            summary=summarize_columns(filter_by_lesson(gradebook_reply, filters.lesson)),
            query=make_link_query(filters),
        )

    def _page_number(self) -> int:
        value = self.get_query_argument("page", "1")
        if not (value.isascii() and value.isdigit() and 0 < len(value) < 9 and int(value)):
            raise BadInput("The page must be a whole number from 1 on.")
        return int(value)


def filter_by_lesson(gradebook: GradebookReply, lesson: str) -> GradebookReply:
    """The board with the columns of one lesson alone ("": all); points stay those of the whole classroom."""
    if not lesson:
        return gradebook
    indices = [index for index, column in enumerate(gradebook.columns) if column.lesson == lesson]
    return gradebook.model_copy(
        update={
            "columns": _pick(gradebook.columns, indices),
            "rows": tuple(row.model_copy(update={"cells": _pick(row.cells, indices)}) for row in gradebook.rows),
        }
    )


def _pick(items: Sequence[T], indices: Sequence[int]) -> tuple[T, ...]:
    return tuple(items[index] for index in indices)


def summarize_columns(gradebook: GradebookReply) -> list[ColumnSummary]:
    """A line above the members; tries are counted for those who tried."""
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
    """Makes the query of a link that keeps the filters."""
    active_filters = {name: value for name, value in vars(filters).items() if value}
    return lambda **changes: urlencode({**active_filters, **changes})


PAGES = (("classrooms/{classroom}/gradebook", GradebookPage),)
