"""What follows from gradings: attempts, grades, awards, and that replaying the events gives the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.progress import ExerciseProgress, ProgressState
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Grading, Message, Outcome
from pmh_jupyter.errors import NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, gradings, jobs, replay, staff
from pmh_jupyter.storage.tables.results import AwardRow, EventRow, LedgerRow, VerdictRow
from pmh_jupyter.storage.tables.submissions import JobRow
from tests.support.storage.postgres import Cluster
from tests.support.storage.school import FIRST, NOON, ROOM, SECOND, MovedClock, School, course, grading, verdict

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


def progress(school: School, person: object) -> dict[tuple[str, str], ExerciseProgress]:
    return dict(replay.load_member_progress(school.database, ROOM).progress.get(person, {}))  # type: ignore[call-overload]


def grades(school: School) -> dict[str, int | None]:
    board = staff.load_gradebook(school.database, ROOM)
    cells = board.rows[0].cells
    return {column.grade_id: cell.grade_millipoints for column, cell in zip(board.columns, cells, strict=True)}


def award_events(school: School, person: object) -> list[str]:
    told = events.load_events_after(school.database, person, ROOM, 0)  # type: ignore[arg-type]
    return [event.data["award"] for event in told if event.kind is EventKind.AWARD_EARNED]


def test_a_check_is_an_attempt_only_at_what_it_names(school: School) -> None:
    person = school.member()
    school.send(person, SubmissionKind.CHECK, "a")
    done = school.grade(a=PASSED, b=FAILED)
    assert [one.grade_id for one in done.verdicts] == ["a", "b"]
    assert progress(school, person.id) == {("first", "a"): ExerciseProgress(ProgressState.DONE, 2000, 1)}


@pytest.mark.parametrize("outcome", [Outcome.GRADER_ERROR, Outcome.NOT_CHECKED])
def test_what_was_not_judged_is_no_attempt(school: School, outcome: Outcome) -> None:
    person = school.member()
    school.check(person, a=outcome, b=FAILED)
    assert set(progress(school, person.id)) == {("first", "b")}


def test_a_fault_makes_every_verdict_void(school: School) -> None:
    person = school.member()
    school.send(person, SubmissionKind.FINAL)
    job = jobs.claim_next_job(school.database, "worker")
    assert job
    fault = Grading((verdict("a", PASSED),), 0.1, grader_error=Message("grader-error"))
    assert jobs.complete_job(school.database, job.id, fault).grader_error == Message("grader-error")
    assert progress(school, person.id) == {}
    assert grades(school) == dict.fromkeys(["a", "b", "c", "essay"])
    assert award_events(school, person.id) == []


def test_grades_come_from_submissions_and_the_last_counts(school: School) -> None:
    person = school.member()
    school.check(person, a=PASSED, b=PASSED)
    assert grades(school)["a"] is None
    school.submit(person, a=PASSED, b=FAILED)
    assert (grades(school)["a"], grades(school)["b"]) == (2000, 0)
    school.clock.forward(minutes=1)
    school.submit(person, a=FAILED, b=PASSED)
    assert (grades(school)["a"], grades(school)["b"]) == (0, 2000)
    with school.database.read() as session:
        entries = session.scalars(select(LedgerRow).order_by(LedgerRow.number)).all()
        assert [entry.supersedes for entry in entries] == [None, None, entries[0].number, entries[1].number]
        assert all(entry.attempt_id and entry.actor_id is None for entry in entries)


def test_the_submission_that_arrived_last_counts_though_graded_first(school: School) -> None:
    person = school.member()
    school.send(person, SubmissionKind.FINAL)
    late = jobs.claim_next_job(school.database, "slow")
    assert late
    school.clock.forward(minutes=1)
    school.send(person, SubmissionKind.FINAL)
    newest = [job for _ in range(2) if (job := jobs.claim_next_job(school.database, "quick"))]
    other = next(job for job in newest if job.id != late.id)
    jobs.complete_job(school.database, other.id, grading(a=PASSED))
    jobs.complete_job(school.database, late.id, grading(a=FAILED))
    assert grades(school)["a"] == 2000
    assert progress(school, person.id)["first", "a"].state is ProgressState.DONE
    assert replay.replay_events(school.database, ROOM) == replay.load_member_progress(school.database, ROOM)


def test_ledger_and_events_cannot_be_changed(school: School) -> None:
    school.submit(school.member(), a=PASSED, b=PASSED)
    for statement in (
        update(LedgerRow).values(millipoints=0),
        delete(LedgerRow),
        update(EventRow).values(kind="other"),
        delete(EventRow),
    ):
        with pytest.raises(DBAPIError, match="append-only"), school.database.write() as session:
            session.execute(statement)
    assert grades(school)["a"] == 2000


def test_a_first_solve_and_a_whole_lesson(school: School) -> None:
    person = school.member()
    school.check(person, a=FAILED, b=FAILED)
    assert award_events(school, person.id) == []
    school.check(person, a=PASSED, b=FAILED)
    assert award_events(school, person.id) == ["first-solve"]
    school.check(person, a=FAILED, b=PASSED)
    assert award_events(school, person.id) == ["first-solve", "lesson"]
    school.check(person, a=PASSED, b=PASSED)
    assert award_events(school, person.id) == ["first-solve", "lesson"]
    told = events.load_events_after(school.database, person.id, ROOM, 0)
    earned = [event for event in told if event.kind is EventKind.AWARD_EARNED]
    assert earned[1].to_public_data() == {
        "award": "lesson",
        "title": "Whole",
        "description": "A lesson.",
        "icon": "book",
    }


def test_a_streak_counts_days_in_the_classrooms_zone(school: School) -> None:
    person = school.member()
    for hours in (0, 24):
        school.clock.time = NOON.replace(hour=22, minute=30) + timedelta(hours=hours)  # 23:30 in Zurich
        school.check(person, a=FAILED)
    assert "streak" not in award_events(school, person.id)
    school.clock.forward(hours=1)  # 00:30, the third day there, still the second in UTC
    school.check(person, a=FAILED)
    assert award_events(school, person.id) == ["streak"]


def test_a_day_counts_when_the_work_arrived(school: School) -> None:
    person = school.member()
    for _ in range(3):
        school.send(person)
        school.clock.forward(days=1)
    for _ in range(3):
        school.grade(a=FAILED)
    assert award_events(school, person.id) == ["streak"]


def test_replaying_all_events_gives_the_same(school: School) -> None:
    ada, bob = school.member("ada"), school.member("bob")
    school.check(ada, a=FAILED, b=Outcome.TIMED_OUT)
    school.submit(ada, a=PASSED, b=PASSED)
    school.clock.forward(days=1)
    newer = course(achievements=())
    courses.save_course_version(school.database, newer, {"first": FIRST, "second": SECOND})
    classrooms.adopt_version(school.database, ROOM, "course")
    school.check(bob, a=PASSED, b=PASSED)
    school.submit(ada, lesson="second", c=Outcome.CRASHED, essay=Outcome.NEEDS_GRADING)
    stored = replay.load_member_progress(school.database, ROOM)
    assert set(stored.progress) == {ada.id, bob.id}
    assert stored.awards == {ada.id: {"first-solve": NOON, "lesson": NOON}}
    assert replay.replay_events(school.database, ROOM) == stored
    with school.database.write() as session:
        session.execute(delete(AwardRow))
    assert replay.rebuild_awards_from_events(school.database, ROOM) == stored
    assert replay.load_member_progress(school.database, ROOM) == stored


def test_replaying_a_classroom_that_is_not_there(school: School) -> None:
    for question in (replay.replay_events, replay.load_member_progress, replay.rebuild_awards_from_events):
        with pytest.raises(NotFound):
            question(school.database, "elsewhere")


def test_an_award_is_given_once_under_a_race(school: School, connect: Callable[[], Database]) -> None:
    """Four workers end four gradings of one person at once; together, and only together, they solve a lesson."""
    person = school.member()
    outcomes = [{"a": PASSED}, {"b": PASSED}, {"a": PASSED, "b": FAILED}, {"a": FAILED, "b": PASSED}]
    claimed = []
    for _ in outcomes:
        school.send(person)
        job = jobs.claim_next_job(school.database, "worker")
        assert job
        claimed.append(job)
    together = Barrier(len(claimed))
    services = [connect() for _ in claimed]

    def finish(number: int) -> None:
        together.wait()
        jobs.complete_job(services[number], claimed[number].id, grading(**outcomes[number]))

    with ThreadPoolExecutor(len(claimed)) as pool:
        list(pool.map(finish, range(len(claimed))))
    assert sorted(award_events(school, person.id)) == ["first-solve", "lesson"]
    assert replay.replay_events(school.database, ROOM) == replay.load_member_progress(school.database, ROOM)


@pytest.mark.postgres
def test_two_submissions_graded_at_once_see_each_other(
    cluster: Cluster, postgres_template: str, clock: MovedClock
) -> None:
    """The grading of the older submission ends while that of the newer is not yet committed: it must wait, and then not count."""
    url = cluster.url(cluster.make(postgres_template))
    with Database(url, clock).open() as one, Database(url, clock).open() as two, ThreadPoolExecutor(1) as pool:
        school = School(one, clock)
        older, newer = [], []
        for claimed in (older, newer):
            school.send(school.member(), SubmissionKind.FINAL)
            claimed.append(jobs.claim_next_job(one, "worker"))
            clock.forward(minutes=1)
        with one.write() as session:
            gradings.record_grading(session, session.get_one(JobRow, newer[0].id), grading(a=PASSED), clock())
            late = pool.submit(jobs.complete_job, two, older[0].id, grading(a=FAILED))
            blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not session.scalar(blocked) and not late.done():
                pass
            assert not late.done()
        late.result(30)
        assert grades(school)["a"] == 2000


def test_one_job_ended_by_many_is_recorded_once(school: School, connect: Callable[[], Database]) -> None:
    person = school.member()
    school.send(person, SubmissionKind.FINAL)
    job = jobs.claim_next_job(school.database, "worker")
    assert job
    services = [connect() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(lambda one: jobs.complete_job(one, job.id, grading(a=PASSED, b=FAILED)), services))
    assert len(set(map(repr, ended))) == 1
    with school.database.read() as session:
        assert session.scalar(select(func.count()).select_from(VerdictRow)) == 2
        assert session.scalar(select(func.count()).select_from(LedgerRow)) == 2
