"""The number of queries of a page does not depend on the size of a classroom."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import event as sqlalchemy_event

from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import outline, staff
from tests.support.storage.school import (
    CLASSROOM,
    School,
)


def count_queries(database: Database, call_all: Callable[[], object]) -> int:
    count = 0

    def count_query(*_: object) -> None:
        nonlocal count
        count += 1

    sqlalchemy_event.listen(database.engine, "before_cursor_execute", count_query)
    try:
        call_all()
    finally:
        sqlalchemy_event.remove(database.engine, "before_cursor_execute", count_query)
    return count


def test_number_of_queries_does_not_grow_with_the_data(school: School) -> None:
    ada = school.add_member()

    def call_all() -> tuple[int, int, int]:
        return (
            count_queries(school.database, lambda: outline.load_outline(school.database, ada.id, CLASSROOM)),
            count_queries(school.database, lambda: staff.load_gradebook(school.database, CLASSROOM)),
            count_queries(school.database, lambda: staff.list_member_submissions(school.database, CLASSROOM, ada.id)),
        )

    school.check(ada, a=Outcome.PASSED, b=Outcome.FAILED)
    counts_before = call_all()
    for number in range(5):
        other = school.add_member(f"person {number}")
        school.check(other, a=Outcome.FAILED)
        school.submit(ada, a=Outcome.FAILED, b=Outcome.PASSED)
        school.check(ada, lesson="second", c=Outcome.PASSED)
    assert call_all() == counts_before
    assert all(0 < count <= 16 for count in counts_before)
