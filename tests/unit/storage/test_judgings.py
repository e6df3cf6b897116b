"""How a release is judged: kept once, by grader, and given to whoever grades it."""

from __future__ import annotations

from pmh_jupyter.domain.judging import GRADER, Judging, NotebookJudging, Way
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.storage.records import jobs
from pmh_jupyter.storage.records.judgings import judging_of, save_judging
from pmh_jupyter.storage.tables.courses import JudgingRow
from tests.support.storage import School

FOUND = Judging(
    GRADER,
    (
        NotebookJudging("a.ipynb", library={"np": ("numpy", "")}, operators={"t": ("eq",)}, exports=("x",)),
        NotebookJudging("b.ipynb", Way.INSIDE, cell="t2", reason=Message("judged-inside-differs", {"cell": "t2"})),
    ),
)


def some_release(school: School) -> str:
    return school.send(school.member("ada")).release


def test_it_is_kept_as_it_was_found_and_comes_with_the_job(school: School) -> None:
    release = some_release(school)
    assert judging_of(school.database, release) is None
    save_judging(school.database, release, FOUND)
    assert judging_of(school.database, release) == FOUND
    job = jobs.claim_next(school.database, "worker")
    assert job and (job.release, job.judging) == (release, FOUND)


def test_what_was_found_first_stays_and_another_grader_finds_its_own(school: School) -> None:
    release = some_release(school)
    save_judging(school.database, release, FOUND)
    save_judging(school.database, release, Judging(GRADER, ()))
    save_judging(school.database, release, Judging("other", ()))
    assert judging_of(school.database, release) == FOUND
    assert judging_of(school.database, release, "other") == Judging("other", ())


def test_one_that_cannot_be_read_is_found_out_again(school: School) -> None:
    release = some_release(school)
    with school.database.write() as session:
        session.add(JudgingRow(release_id=release, grader=GRADER, body={"grader": 7}, found_at=school.database.now()))
    assert judging_of(school.database, release) is None
