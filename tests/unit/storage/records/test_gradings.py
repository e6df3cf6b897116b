"""Consequences of gradings: attempts, grades and awards, which replayed events reproduce."""

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
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, courses, events, gradings, jobs
from pmh_jupyter.storage.tables.results import EventRow, LedgerRow, VerdictRow
from pmh_jupyter.storage.tables.submissions import JobRow
from tests.support.clock import NOON, ManualClock
from tests.support.storage import replay
from tests.support.storage.postgres import Cluster
from tests.support.storage.school import (
    CLASSROOM,
    FIRST,
    SECOND,
    School,
    course,
    grading,
    load_grades,
    verdict,
)

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


def progress(school: School, person: object) -> dict[tuple[str, str], ExerciseProgress]:
    return dict(replay.load_member_progress(school.database, CLASSROOM).progress.get(person, {}))  # type: ignore[call-overload]


def award_events(school: School, person: object) -> list[str]:
    person_events = events.load_events_after(school.database, person, CLASSROOM, 0)  # type: ignore[arg-type]
    return [event.data["award"] for event in person_events if event.kind is EventKind.AWARD_EARNED]


def test_check_is_an_attempt_only_at_the_requested_exercises(school: School) -> None:
    person = school.add_member()
    school.send(person, SubmissionKind.CHECK, "a")
    graded = school.grade_next(a=PASSED, b=FAILED)
    assert [verdict.grade_id for verdict in graded.verdicts] == ["a", "b"]
    assert progress(school, person.id) == {("first", "a"): ExerciseProgress(ProgressState.DONE, 2000, 1)}


@pytest.mark.parametrize("outcome", [Outcome.GRADER_ERROR, Outcome.NOT_CHECKED])
def test_verdict_without_a_judgment_is_no_attempt(school: School, outcome: Outcome) -> None:
    person = school.add_member()
    school.check(person, a=outcome, b=FAILED)
    assert set(progress(school, person.id)) == {("first", "b")}


def test_grader_error_voids_all_verdicts(school: School) -> None:
    person = school.add_member()
    school.send(person, SubmissionKind.FINAL)
    job = school.claim()
    failed_grading = Grading((verdict("a", PASSED),), 0.1, grader_error=Message("grader-error"))
    assert jobs.complete_job(school.database, job.id, failed_grading).grader_error == Message("grader-error")
    assert progress(school, person.id) == {}
    assert load_grades(school.database, person) == {}
    assert award_events(school, person.id) == []


def test_only_the_latest_final_submission_counts_for_the_grade(school: School) -> None:
    person = school.add_member()
    school.check(person, a=PASSED, b=PASSED)
    assert load_grades(school.database, person) == {}
    school.submit(person, a=PASSED, b=FAILED)
    assert load_grades(school.database, person) == {"a": 2000, "b": 0}
    school.clock.advance(minutes=1)
    school.submit(person, a=FAILED, b=PASSED)
    assert load_grades(school.database, person) == {"a": 0, "b": 2000}
    with school.database.begin_read() as session:
        entries = session.scalars(select(LedgerRow).order_by(LedgerRow.number)).all()
        assert [entry.supersedes for entry in entries] == [None, None, entries[0].number, entries[1].number]
        assert all(entry.attempt_id and entry.actor_id is None for entry in entries)


def test_submission_received_last_counts_even_if_graded_first(school: School) -> None:
    person = school.add_member()
    school.send(person, SubmissionKind.FINAL)
    older_job = school.claim("slow")
    school.clock.advance(minutes=1)
    school.send(person, SubmissionKind.FINAL)
    claimed = [job for _ in range(2) if (job := jobs.claim_next_job(school.database, "quick"))]
    newer_job = next(job for job in claimed if job.id != older_job.id)
    jobs.complete_job(school.database, newer_job.id, grading(a=PASSED))
    jobs.complete_job(school.database, older_job.id, grading(a=FAILED))
    assert load_grades(school.database, person)["a"] == 2000
    assert progress(school, person.id)["first", "a"].state is ProgressState.DONE
    assert replay.replay_events(school.database, CLASSROOM) == replay.load_member_progress(school.database, CLASSROOM)


def test_database_rejects_changes_of_ledger_and_events(school: School) -> None:
    person = school.add_member()
    school.submit(person, a=PASSED, b=PASSED)
    for statement in (
        update(LedgerRow).values(millipoints=0),
        delete(LedgerRow),
        update(EventRow).values(kind="newer_job"),
        delete(EventRow),
    ):
        with pytest.raises(DBAPIError, match="append-only"), school.database.begin_write() as session:
            session.execute(statement)
    assert load_grades(school.database, person)["a"] == 2000


def test_awards_for_first_solution_and_complete_lesson_are_granted_once(school: School) -> None:
    person = school.add_member()
    school.check(person, a=FAILED, b=FAILED)
    assert award_events(school, person.id) == []
    school.check(person, a=PASSED, b=FAILED)
    assert award_events(school, person.id) == ["first-solve"]
    school.check(person, a=FAILED, b=PASSED)
    assert award_events(school, person.id) == ["first-solve", "lesson"]
    school.check(person, a=PASSED, b=PASSED)
    assert award_events(school, person.id) == ["first-solve", "lesson"]
    person_events = events.load_events_after(school.database, person.id, CLASSROOM, 0)
    earned = [event for event in person_events if event.kind is EventKind.AWARD_EARNED]
    assert earned[1].to_public_data() == {
        "award": "lesson",
        "title": "Whole",
        "description": "A lesson.",
        "icon": "book",
    }


def test_streak_counts_days_in_the_time_zone_of_the_classroom(school: School) -> None:
    person = school.add_member()
    for hours in (0, 24):
        school.clock.time = NOON.replace(hour=22, minute=30) + timedelta(hours=hours)  # 23:30 in Zurich
        school.check(person, a=FAILED)
    assert "streak" not in award_events(school, person.id)
    school.clock.advance(hours=1)  # 00:30, the third day there, still the second in UTC
    school.check(person, a=FAILED)
    assert award_events(school, person.id) == ["streak"]


def test_streak_counts_the_day_on_which_a_submission_arrived(school: School) -> None:
    person = school.add_member()
    for _ in range(3):
        school.send(person)
        school.clock.advance(days=1)
    for _ in range(3):
        school.grade_next(a=FAILED)
    assert award_events(school, person.id) == ["streak"]


def test_replayed_events_give_the_stored_progress_and_awards(school: School) -> None:
    ada, bob = school.add_member("ada"), school.add_member("bob")
    school.check(ada, a=FAILED, b=Outcome.TIMED_OUT)
    school.submit(ada, a=PASSED, b=PASSED)
    school.clock.advance(days=1)
    newer = course(achievements=())
    courses.save_course_version(school.database, newer, {"first": FIRST, "second": SECOND})
    classrooms.adopt_version(school.database, CLASSROOM, "course")
    school.check(bob, a=PASSED, b=PASSED)
    school.submit(ada, lesson="second", c=Outcome.CRASHED, essay=Outcome.NEEDS_GRADING)
    stored = replay.load_member_progress(school.database, CLASSROOM)
    assert set(stored.progress) == {ada.id, bob.id}
    assert stored.awards == {ada.id: {"first-solve": NOON, "lesson": NOON}}
    assert replay.replay_events(school.database, CLASSROOM) == stored


def test_award_is_granted_once_by_concurrent_workers(school: School, connect: Callable[[], Database]) -> None:
    """Four workers complete four gradings of one person at once. No single one of them completes the lesson."""
    person = school.add_member()
    outcomes = [{"a": PASSED}, {"b": PASSED}, {"a": PASSED, "b": FAILED}, {"a": FAILED, "b": PASSED}]
    claimed = []
    for _ in outcomes:
        school.send(person)
        claimed.append(school.claim())
    barrier = Barrier(len(claimed))
    databases = [connect() for _ in claimed]

    def complete(number: int) -> None:
        barrier.wait()
        jobs.complete_job(databases[number], claimed[number].id, grading(**outcomes[number]))

    with ThreadPoolExecutor(len(claimed)) as pool:
        list(pool.map(complete, range(len(claimed))))
    assert sorted(award_events(school, person.id)) == ["first-solve", "lesson"]
    assert replay.replay_events(school.database, CLASSROOM) == replay.load_member_progress(school.database, CLASSROOM)


@pytest.mark.postgres
def test_concurrent_grading_of_an_older_submission_does_not_replace_the_newer_grade(
    cluster: Cluster, postgres_template: str, clock: ManualClock
) -> None:
    """The grading of the older submission waits until that of the newer one is committed, and then does not count."""
    url = cluster.url(cluster.make(postgres_template))
    with Database(url, clock).open() as first, Database(url, clock).open() as second, ThreadPoolExecutor(1) as pool:
        school = School(first, clock)
        person = school.add_member()
        claimed = []
        for _ in range(2):
            school.send(person, SubmissionKind.FINAL)
            claimed.append(school.claim())
            clock.advance(minutes=1)
        older_job, newer_job = claimed
        with first.begin_write() as session:
            gradings.record_grading(session, session.get_one(JobRow, newer_job.id), grading(a=PASSED), clock())
            completion = pool.submit(jobs.complete_job, second, older_job.id, grading(a=FAILED))
            waiting_locks = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            while not session.scalar(waiting_locks) and not completion.done():
                pass
            assert not completion.done()
        completion.result(30)
        assert load_grades(first, person)["a"] == 2000


def test_job_completed_by_several_workers_is_recorded_once(school: School, connect: Callable[[], Database]) -> None:
    person = school.add_member()
    school.send(person, SubmissionKind.FINAL)
    job = school.claim()
    databases = [connect() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        results = list(
            pool.map(lambda database: jobs.complete_job(database, job.id, grading(a=PASSED, b=FAILED)), databases)
        )
    assert len(set(map(repr, results))) == 1
    with school.database.begin_read() as session:
        assert session.scalar(select(func.count()).select_from(VerdictRow)) == 2
        assert session.scalar(select(func.count()).select_from(LedgerRow)) == 2
