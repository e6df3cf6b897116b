"""How releases are judged: found out once by each version of the grader, and kept."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from pmh_jupyter.domain.isolation import GRADER_VERSION, ReleaseIsolation
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.tables.courses import IsolationRow

_ISOLATION_ADAPTER = TypeAdapter(ReleaseIsolation)


def save_isolation(database: Database, release_id: str, isolation: ReleaseIsolation) -> None:
    """Keeps how a release is judged. What was found out first stays: the same grader finds the same."""
    with database.write() as session:
        body = _ISOLATION_ADAPTER.dump_python(isolation, mode="json")
        insert_if_absent(
            session,
            IsolationRow,
            release_id=release_id,
            grader_version=isolation.grader_version,
            body=body,
            determined_at=database.now(),
        )


def load_isolation(
    database: Database, release_id: str, grader_version: str = GRADER_VERSION
) -> ReleaseIsolation | None:
    """How a release is judged; None where that was not found out yet."""
    with database.read() as session:
        return find_isolation(session, release_id, grader_version)


def find_isolation(session: Session, release_id: str, grader_version: str = GRADER_VERSION) -> ReleaseIsolation | None:
    """As `judging_of`, in a transaction of the caller's. One that cannot be read any more is as good as none."""
    row = session.get(IsolationRow, (release_id, grader_version))
    if row is None:
        return None
    try:
        return _ISOLATION_ADAPTER.validate_python(row.body)
    except ValidationError:
        return None
