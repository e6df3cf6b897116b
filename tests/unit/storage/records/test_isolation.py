"""How a release is judged: kept once, by grader, and given to whoever grades it."""

from __future__ import annotations

from pmh_jupyter.domain.isolation import GRADER_VERSION, Isolation, NotebookIsolation, ReleaseIsolation
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.storage.records import jobs
from pmh_jupyter.storage.records.isolation import load_isolation, save_isolation
from pmh_jupyter.storage.tables.courses import IsolationRow
from tests.support.storage.school import School

FOUND = ReleaseIsolation(
    GRADER_VERSION,
    (
        NotebookIsolation(
            "a.ipynb", library_names={"np": ("numpy", "")}, operators={"t": ("eq",)}, exported_names=("x",)
        ),
        NotebookIsolation(
            "b.ipynb", Isolation.IN_PROCESS, cell="t2", reason=Message("in-process-results-differ", {"cell": "t2"})
        ),
    ),
)


def some_release(school: School) -> str:
    return school.send(school.member("ada")).release_id


def test_it_is_kept_as_it_was_found_and_comes_with_the_job(school: School) -> None:
    release = some_release(school)
    assert load_isolation(school.database, release) is None
    save_isolation(school.database, release, FOUND)
    assert load_isolation(school.database, release) == FOUND
    job = jobs.claim_next_job(school.database, "worker")
    assert job and (job.release_id, job.isolation) == (release, FOUND)


def test_what_was_found_first_stays_and_another_grader_finds_its_own(school: School) -> None:
    release = some_release(school)
    save_isolation(school.database, release, FOUND)
    save_isolation(school.database, release, ReleaseIsolation(GRADER_VERSION, ()))
    save_isolation(school.database, release, ReleaseIsolation("other", ()))
    assert load_isolation(school.database, release) == FOUND
    assert load_isolation(school.database, release, "other") == ReleaseIsolation("other", ())


def test_one_that_cannot_be_read_is_found_out_again(school: School) -> None:
    release = some_release(school)
    with school.database.write() as session:
        session.add(
            IsolationRow(
                release_id=release,
                grader_version=GRADER_VERSION,
                body={"grader": 7},
                determined_at=school.database.now(),
            )
        )
    assert load_isolation(school.database, release) is None
