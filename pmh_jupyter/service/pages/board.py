"""The instructor's page: members down, exercises across. What is filtered stands in the address, so that a view can be shared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import ClassVar, TypeVar
from urllib.parse import urlencode

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import BadInput
from pmh_jupyter.service import shown
from pmh_jupyter.service.pages.classroom import ClassroomPage
from pmh_jupyter.storage.records import staff
from pmh_jupyter.wire.staff import BoardReply

T = TypeVar("T")


@dataclass(frozen=True)
class Filters:
    """What the reader narrowed the board to; empty: everything."""

    name: str = ""
    lesson: str = ""


@dataclass(frozen=True)
class Column:
    """An exercise's line of the summary, over the members on the page: how many solved it, and the tries at the median."""

    solved: int
    tries: str


class Board(ClassroomPage):
    """The table, its summary row, its filters and its pages."""

    permission: ClassVar[Permission] = Permission.SEE_BOARD
    route_name = "page: board"

    async def get(self, classroom: str) -> None:
        filters = Filters(self.get_query_argument("name", "").strip()[:80], self.get_query_argument("lesson", ""))
        page = self._page()
        seen = await self.service.run(staff.board, self.service.database, classroom, page, name=filters.name)
        board = shown.board(seen)
        self.render_classroom(
            "board.html",
            "board",
            board=only_lesson(board, filters.lesson),
            lessons=list(dict.fromkeys((column.lesson, column.lesson_title) for column in board.columns)),
            filters=filters,
            summary=summary(only_lesson(board, filters.lesson)),
            query=query_of(filters),
        )

    def _page(self) -> int:
        value = self.get_query_argument("page", "1")
        if not (value.isascii() and value.isdigit() and 0 < len(value) < 9 and int(value)):
            raise BadInput("The page must be a whole number from 1 on.")
        return int(value)


def only_lesson(board: BoardReply, lesson: str) -> BoardReply:
    """The board with the columns of one lesson alone ("": all); points stay those of the whole classroom."""
    if not lesson:
        return board
    kept = [place for place, column in enumerate(board.columns) if column.lesson == lesson]
    return board.model_copy(
        update={
            "columns": _at(board.columns, kept),
            "rows": tuple(row.model_copy(update={"cells": _at(row.cells, kept)}) for row in board.rows),
        }
    )


def _at(items: Sequence[T], places: Sequence[int]) -> tuple[T, ...]:
    return tuple(items[place] for place in places)


def summary(board: BoardReply) -> list[Column]:
    """A line above the members; tries are counted for those who tried."""
    columns = []
    for place in range(len(board.columns)):
        cells = [row.cells[place] for row in board.rows]
        tried = [cell.tries for cell in cells if cell.tries]
        columns.append(Column(sum(cell.state == "done" for cell in cells), f"{median(tried):g}" if tried else "–"))
    return columns


def query_of(filters: Filters) -> Callable[..., str]:
    """Makes the query of a link that keeps the filters."""
    kept = {name: value for name, value in vars(filters).items() if value}
    return lambda **more: urlencode({**kept, **more})


PAGES = (("classrooms/{classroom}/board", Board),)
