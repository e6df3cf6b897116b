"""Regrades: asked for as often as one likes, recorded once, and no try of anybody's."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.verdict import Grading, Message, Outcome
from pmh_jupyter.domain.work import Kind, WorkState
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.records import events, jobs, replay, staff, work
from pmh_jupyter.storage.records.regrades import Regrade, regrade
from pmh_jupyter.storage.tables.results import LedgerRow, VerdictRow
from tests.support.storage import ROOM, School, grading

FAILED, PASSED = Outcome.FAILED, Outcome.PASSED
NEW = "the next grader"


@pytest.fixture
def teacher(school: School) -> Person:
    return school.member("teacher", Role.INSTRUCTOR)


def ask(school: School, teacher: Person, grader: str = NEW) -> Regrade:
    return regrade(school.database, teacher.id, ROOM, "first", "request-1", grader)


def test_handed_in_work_is_queued_once(school: School, teacher: Person) -> None:
    person = school.member()
    for _ in range(3):
        school.submit(person, a=FAILED)
    school.check(person, a=FAILED)
    school.send(person, Kind.SUBMISSION)  # is still to be graded, by the new grader as it is
    assert ask(school, teacher) == Regrade(queued=3, known=0)
    assert ask(school, teacher) == Regrade(queued=0, known=3)
    assert jobs.queue_length(school.database) == 4


def test_it_comes_after_everything_that_somebody_waits_for(school: School, teacher: Person) -> None:
    person = school.member()
    school.submit(person, a=FAILED)
    ask(school, teacher)
    waited_for = school.send(person, Kind.SUBMISSION)
    order = [job for _ in range(2) if (job := jobs.claim_next(school.database, "worker"))]
    assert [(job.work == waited_for.id, job.regrade) for job in order] == [(True, False), (False, True)]


def test_new_verdicts_stand_in_the_old_ones_place(school: School, teacher: Person) -> None:
    person = school.member()
    sent = school.submit(person, a=FAILED, b=PASSED)
    ask(school, teacher)
    job = jobs.claim_next(school.database, "worker")
    assert job and job.work == sent.id
    meanwhile = work.get_work(school.database, sent.id, person.id)
    assert (meanwhile.state, meanwhile.verdicts) == (WorkState.GRADED, sent.verdicts)
    school.clock.forward(hours=1)
    again = grading(a=PASSED, b=PASSED)
    done = jobs.complete(school.database, job.id, again)
    assert (done.state, done.verdicts) == (WorkState.GRADED, again.verdicts)
    assert jobs.complete(school.database, job.id, grading(a=FAILED)) == done
    standing = replay.standing(school.database, ROOM)
    assert standing == replay.replay(school.database, ROOM)
    progress = standing.progress[person.id]["first", "a"]
    assert (progress.tries, progress.millipoints) == (1, 2000)
    with school.database.read() as session:
        assert session.scalar(select(func.count()).select_from(VerdictRow)) == 4  # what was said before is kept
        entries = session.scalars(select(LedgerRow).order_by(LedgerRow.number)).all()
        assert [(entry.grade_id, entry.millipoints, entry.supersedes) for entry in entries] == [
            ("a", 0, None),
            ("b", 2000, None),
            ("a", 2000, entries[0].number),
            ("b", 2000, entries[1].number),
        ]


def test_points_fall_where_the_new_grader_says_so(school: School, teacher: Person) -> None:
    person = school.member()
    school.submit(person, a=PASSED)
    ask(school, teacher)
    school.grade(a=FAILED)
    standing = replay.standing(school.database, ROOM)
    assert standing.progress == replay.replay(school.database, ROOM).progress
    assert standing.progress[person.id]["first", "a"].millipoints == 0
    assert staff.board(school.database, ROOM, 1).rows


def test_a_newer_submission_counts_whichever_is_graded_last(school: School, teacher: Person) -> None:
    person = school.member()
    school.submit(person, a=FAILED)
    school.clock.forward(hours=1)
    newer = school.submit(person, a=PASSED)
    ask(school, teacher)
    for _ in range(2):
        job = jobs.claim_next(school.database, "worker")
        assert job
        jobs.complete(school.database, job.id, grading(a=PASSED if job.work == newer.id else FAILED))
    with school.database.read() as session:
        last = session.scalars(select(LedgerRow).order_by(LedgerRow.number.desc())).first()
        assert last and last.millipoints == 2000


def test_a_regrade_that_fails_changes_nothing_and_can_be_asked_for_again(school: School, teacher: Person) -> None:
    person = school.member()
    sent = school.submit(person, a=PASSED)
    before = events.latest_number(school.database, ROOM)
    ask(school, teacher)
    job = jobs.claim_next(school.database, "worker")
    assert job
    done = jobs.complete(school.database, job.id, Grading((), 0.1, fault=Message("our-fault")))
    assert (done.state, done.verdicts, done.fault) == (WorkState.GRADED, sent.verdicts, None)
    assert events.latest_number(school.database, ROOM) == before
    assert ask(school, teacher) == Regrade(queued=1, known=0)


def test_nothing_that_is_not_theirs(school: School, teacher: Person) -> None:
    with pytest.raises(NotFound):
        regrade(school.database, teacher.id, "nowhere", "first")
    with pytest.raises(NotFound):
        regrade(school.database, teacher.id, ROOM, "nothing")
