"""Isolation of releases: saved once per grader version, and passed to the worker with the job."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.isolation import GRADER_VERSION, Isolation, NotebookIsolation, NotebookUsage, ReleaseIsolation
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.storage.records.isolation import find_isolation, save_isolation
from pmh_jupyter.storage.tables.courses import IsolationRow
from tests.support.storage.school import School

ISOLATION = ReleaseIsolation(
    GRADER_VERSION,
    (
        NotebookIsolation(
            "a.ipynb",
            exported_names=("x",),
            usage=NotebookUsage(library_names={"np": ("numpy", "")}, locked_data=None, operators={"t": ("eq",)}),
        ),
        NotebookIsolation(
            "b.ipynb", Isolation.IN_PROCESS, cell="t2", reason=Message("in-process-results-differ", {"cell": "t2"})
        ),
    ),
)


def load_isolation(school: School, release_id: str) -> ReleaseIsolation | None:
    with school.database.begin_read() as session:
        return find_isolation(session, release_id)


def submitted_release_id(school: School) -> str:
    return school.send(school.add_member("ada")).release_id


def test_saved_isolation_is_loaded_unchanged_and_comes_with_the_job(school: School) -> None:
    release_id = submitted_release_id(school)
    assert load_isolation(school, release_id) is None
    save_isolation(school.database, release_id, ISOLATION)
    assert load_isolation(school, release_id) == ISOLATION
    job = school.claim()
    assert (job.release_id, job.task.isolation) == (release_id, ISOLATION)


def test_first_saved_isolation_is_kept_for_each_grader_version(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    release_id = submitted_release_id(school)
    save_isolation(school.database, release_id, ISOLATION)
    save_isolation(school.database, release_id, ReleaseIsolation(GRADER_VERSION, ()))
    save_isolation(school.database, release_id, ReleaseIsolation("other", ()))
    assert load_isolation(school, release_id) == ISOLATION
    monkeypatch.setattr("pmh_jupyter.storage.records.isolation.GRADER_VERSION", "other")
    assert load_isolation(school, release_id) == ReleaseIsolation("other", ())


def test_unreadable_isolation_counts_as_missing(school: School) -> None:
    release_id = submitted_release_id(school)
    with school.database.begin_write() as session:
        session.add(
            IsolationRow(
                release_id=release_id,
                grader_version=GRADER_VERSION,
                body={"grader_version": 7},
                determined_at=school.database.now(),
            )
        )
    assert load_isolation(school, release_id) is None
