"""Isolation of releases: where their tests run, determined once by each version of the grader."""

from __future__ import annotations

from sqlalchemy.orm import Session

from pmh_jupyter.domain.isolation import GRADER_VERSION, ReleaseIsolation
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.dialect import insert_if_absent
from pmh_jupyter.storage.isolation_json import dump_isolation, load_isolation
from pmh_jupyter.storage.tables.courses import IsolationRow


def save_isolation(database: Database, release_id: str, isolation: ReleaseIsolation) -> None:
    """Save the isolation of a release. Has no effect if this grader version has saved one already."""
    with database.begin_write() as session:
        body = dump_isolation(isolation)
        insert_if_absent(
            session,
            IsolationRow,
            release_id=release_id,
            grader_version=isolation.grader_version,
            body=body,
            determined_at=database.now(),
        )


def find_isolation(session: Session, release_id: str) -> ReleaseIsolation | None:
    """Return the isolation that this grader version has determined for a release. Runs in the caller's transaction.

    None if there is none, or if it can no longer be read.
    """
    row = session.get(IsolationRow, (release_id, GRADER_VERSION))
    return load_isolation(row.body) if row is not None else None
