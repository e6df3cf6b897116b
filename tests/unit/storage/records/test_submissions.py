"""Work arrives once, however often it is sent, and only while it may."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.deadlines import LocalSchedule
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.hashing import compute_content_hash
from pmh_jupyter.domain.roles import Role
from pmh_jupyter.domain.submission import SubmissionKind, SubmissionState
from pmh_jupyter.domain.verdict import Grading, Message, Outcome
from pmh_jupyter.errors import BadInput, Conflict, NotFound
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import classrooms, events, jobs, submissions
from pmh_jupyter.storage.tables.submissions import JobRow, SubmissionRow
from tests.support.storage.school import NOON, ROOM, School, again, nobody, sign


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_submission_is_kept_with_its_receipt_and_its_event(school: School) -> None:
    person = school.member()
    new = school.new(person, SubmissionKind.FINAL)
    received = submissions.receive_submission(school.database, new, sign)
    assert received == submissions.get_submission(school.database, new.id, person.id)
    assert (received.state, received.queue_position, received.received_at) == (SubmissionState.QUEUED, 1, NOON)
    assert received.receipt == {
        "submission": str(new.id),
        "person": str(person.id),
        "classroom": ROOM,
        "lesson": "first",
        "release": new.release_id,
        "content_hash": compute_content_hash(new.files),
        "received_at": NOON.isoformat(),
        "signature": "signed",
    }
    told = events.load_events_after(school.database, person.id, ROOM, 0)[-1]
    assert told.kind is EventKind.SUBMISSION_RECEIVED
    assert told.to_public_data() == {"work": str(new.id), "kind": "submission", "lesson": "first", "exercises": []}


def test_a_check_has_no_receipt(school: School) -> None:
    assert school.send(school.member(), SubmissionKind.CHECK, "a").receipt is None


def test_a_repeat_changes_nothing(school: School) -> None:
    person = school.member()
    new = school.new(person, SubmissionKind.FINAL)
    first = submissions.receive_submission(school.database, new, sign)
    last = events.find_latest_event_number(school.database, ROOM)
    school.clock.forward(hours=1)
    assert submissions.receive_submission(school.database, new, sign) == first
    assert (count(school.database, SubmissionRow), count(school.database, JobRow)) == (1, 1)
    assert events.find_latest_event_number(school.database, ROOM) == last


def test_a_repeat_is_answered_even_after_the_lesson_closed(school: School) -> None:
    person = school.member()
    new = school.new(person, SubmissionKind.FINAL)
    first = submissions.receive_submission(school.database, new, sign)
    classrooms.set_assignment(
        school.database, ROOM, "first", schedule=LocalSchedule("UTC", closes=datetime(2026, 1, 1))
    )
    assert submissions.receive_submission(school.database, new, sign) == first


@pytest.mark.parametrize(
    "change", [{"files": (File("other", b""),)}, {"lesson": "second"}, {"kind": SubmissionKind.FINAL}]
)
def test_an_id_means_one_work(school: School, change: dict[str, object]) -> None:
    new = school.new(school.member())
    submissions.receive_submission(school.database, new, sign)
    with pytest.raises(Conflict, match="already used"):
        submissions.receive_submission(school.database, again(new, **change), sign)


def test_an_id_of_somebody_elses_is_refused(school: School) -> None:
    new = school.new(school.member())
    submissions.receive_submission(school.database, new, sign)
    with pytest.raises(Conflict, match="already used"):
        submissions.receive_submission(school.database, again(new, person=school.member("other").id), sign)


def test_nobody_sees_anothers_work(school: School) -> None:
    sent = school.send(school.member())
    with pytest.raises(NotFound):
        submissions.get_submission(school.database, sent.id, school.member("other").id)
    with pytest.raises(NotFound):
        submissions.get_submission(school.database, nobody(), sent.person_id)
    assert submissions.list_submissions(school.database, school.member("other").id, ROOM) == ()


def test_own_work_comes_newest_first(school: School) -> None:
    person = school.member()
    sent = []
    for lesson in ("first", "second", "first"):
        sent.append(school.send(person, lesson=lesson).id)
        school.clock.forward(seconds=1)
    shown = submissions.list_submissions(school.database, person.id, ROOM)
    assert [one.id for one in shown] == sent[::-1]
    assert [one.id for one in submissions.list_submissions(school.database, person.id, ROOM, "second")] == [sent[1]]
    assert [one.id for one in submissions.list_submissions(school.database, person.id, ROOM, limit=1)] == [sent[2]]


def test_places_in_the_queue_put_checks_first(school: School) -> None:
    person = school.member()
    submission = school.send(person, SubmissionKind.FINAL)
    school.clock.forward(seconds=1)
    check = school.send(person)
    positions = [
        submissions.get_submission(school.database, one.id, person.id).queue_position for one in (check, submission)
    ]
    assert positions == [1, 2]


@pytest.mark.parametrize("kind", SubmissionKind)
@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (LocalSchedule("Europe/Zurich", opens=datetime(2026, 3, 2, 13, 1)), "opens at 2026-03-02 12:01 UTC"),
        (LocalSchedule("Europe/Zurich", closes=datetime(2026, 3, 2, 13, 0)), "closed at 2026-03-02 12:00 UTC"),
    ],
)
def test_only_what_is_open_takes_work(
    school: School, kind: SubmissionKind, schedule: LocalSchedule, words: str
) -> None:
    classrooms.set_assignment(school.database, ROOM, "first", schedule=schedule)
    with pytest.raises(Conflict, match=words):
        school.send(school.member(), kind)
    assert school.send(school.member("teacher", Role.INSTRUCTOR), kind).state is SubmissionState.QUEUED
    assert count(school.database, SubmissionRow) == 1


def test_work_is_taken_until_the_last_moment(school: School) -> None:
    closes = (NOON + timedelta(microseconds=1)).replace(tzinfo=None)
    classrooms.set_assignment(school.database, ROOM, "first", schedule=LocalSchedule("UTC", closes=closes))
    assert school.send(school.member(), SubmissionKind.FINAL)


def test_submissions_are_counted_and_our_faults_are_not(school: School) -> None:
    person = school.member()
    classrooms.set_assignment(school.database, ROOM, "first", schedule=LocalSchedule("UTC"), max_submissions=1)
    school.send(person, SubmissionKind.FINAL)
    job = jobs.claim_next_job(school.database, "worker")
    assert job
    jobs.complete_job(school.database, job.id, Grading((), 0.0, grader_error=Message("grader-error")))
    school.submit(person, a=Outcome.FAILED, b=Outcome.FAILED)
    with pytest.raises(Conflict, match="All 1 submissions"):
        school.send(person, SubmissionKind.FINAL)
    assert school.send(person, SubmissionKind.CHECK)


def test_unknown_exercises_releases_lessons_and_rooms(school: School) -> None:
    person = school.member()
    new = school.new(person)
    for change, error in (
        ({"exercises": ("a", "x")}, BadInput),
        ({"files": (File("p", b""), File("p", b"1"))}, BadInput),
        ({"files": (File("a\0b", b""),)}, BadInput),
        ({"files": (File("\ud800", b""),)}, BadInput),
        ({"release": "f" * 64}, Conflict),
        ({"lesson": "third"}, NotFound),
        ({"lesson": "fir\0st"}, (NotFound, BadInput)),
        ({"classroom": "elsewhere"}, NotFound),
        ({"person": nobody()}, NotFound),
    ):
        with pytest.raises(error):
            submissions.receive_submission(school.database, again(new, **change), sign)
    assert count(school.database, SubmissionRow) == 0


def test_a_signature_that_fails_leaves_nothing(school: School) -> None:
    def broken(fields: object) -> dict[str, str]:
        raise OSError("no key")

    with pytest.raises(OSError, match="no key"):
        submissions.receive_submission(school.database, school.new(school.member(), SubmissionKind.FINAL), broken)
    assert (count(school.database, SubmissionRow), count(school.database, JobRow)) == (0, 0)


def test_the_last_attempt_is_taken_once_under_a_race(school: School, connect: Callable[[], Database]) -> None:
    person = school.member()
    classrooms.set_assignment(school.database, ROOM, "first", schedule=LocalSchedule("UTC"), max_submissions=1)
    together = Barrier(4)

    def hand_in(database: Database) -> bool:
        together.wait()
        try:
            return (
                submissions.receive_submission(database, school.new(person, SubmissionKind.FINAL), sign).kind
                is SubmissionKind.FINAL
            )
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(hand_in, [connect() for _ in range(4)]))
    assert (sorted(taken), count(school.database, SubmissionRow)) == ([False, False, False, True], 1)


def test_the_same_work_sent_many_times_at_once_is_there_once(school: School, connect: Callable[[], Database]) -> None:
    new = school.new(school.member(), SubmissionKind.FINAL)
    services = [connect() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        received = list(pool.map(lambda one: submissions.receive_submission(one, new, sign), services))
    assert len(set(map(repr, received))) == 1
    assert (count(school.database, SubmissionRow), count(school.database, JobRow)) == (1, 1)
