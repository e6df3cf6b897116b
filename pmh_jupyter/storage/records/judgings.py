"""How releases are judged: found out once by each version of the grader, and kept."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from pmh_jupyter.domain.judging import GRADER, Judging
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_new
from pmh_jupyter.storage.tables.courses import JudgingRow

_JUDGING = TypeAdapter(Judging)


def save_judging(database: Database, release: str, judging: Judging) -> None:
    """Keeps how a release is judged. What was found out first stays: the same grader finds the same."""
    with database.write() as session:
        body = _JUDGING.dump_python(judging, mode="json")
        insert_new(session, JudgingRow, release_id=release, grader=judging.grader, body=body, found_at=database.now())


def judging_of(database: Database, release: str, grader: str = GRADER) -> Judging | None:
    """How a release is judged; None where that was not found out yet."""
    with database.read() as session:
        return find_judging(session, release, grader)


def find_judging(session: Session, release: str, grader: str = GRADER) -> Judging | None:
    """As `judging_of`, in a transaction of the caller's. One that cannot be read any more is as good as none."""
    row = session.get(JudgingRow, (release, grader))
    if row is None:
        return None
    try:
        return _JUDGING.validate_python(row.body)
    except ValidationError:
        return None
