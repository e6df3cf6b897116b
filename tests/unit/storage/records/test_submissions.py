"""Receiving submissions: stored once however often they are sent, and only while the lesson accepts them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

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
from pmh_jupyter.storage.records import classrooms, events, jobs, submission_queries, submissions
from pmh_jupyter.storage.tables.submissions import JobRow, SubmissionRow
from tests.support.clock import NOON
from tests.support.storage.school import CLASSROOM, School, latest_event_number, sign, unknown_id


def count(database: Database, table: type) -> int:
    with database.begin_read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_final_submission_is_stored_with_receipt_and_event(school: School) -> None:
    person = school.add_member()
    new = school.new_submission(person, SubmissionKind.FINAL)
    received = submissions.receive_submission(school.database, new, sign)
    assert received == submissions.get_submission(school.database, new.id, person.id)
    assert (received.state, received.queue_position, received.received_at) == (SubmissionState.QUEUED, 1, NOON)
    assert received.receipt == {
        "submission_id": str(new.id),
        "person_id": str(person.id),
        "classroom": CLASSROOM,
        "lesson": "first",
        "release_id": new.release_id,
        "content_hash": compute_content_hash(new.files),
        "received_at": NOON.isoformat(),
        "signature": "signed",
    }
    received_event = events.load_events_after(school.database, person.id, CLASSROOM, 0)[-1]
    assert received_event.kind is EventKind.SUBMISSION_RECEIVED
    assert received_event.to_public_data() == {
        "submission_id": str(new.id),
        "kind": "final",
        "lesson": "first",
        "exercises": [],
    }


def test_check_has_no_receipt(school: School) -> None:
    assert school.send(school.add_member(), SubmissionKind.CHECK, "a").receipt is None


def test_repeated_submission_changes_nothing(school: School) -> None:
    person = school.add_member()
    new = school.new_submission(person, SubmissionKind.FINAL)
    first = submissions.receive_submission(school.database, new, sign)
    last = latest_event_number(school.database)
    school.clock.advance(hours=1)
    assert submissions.receive_submission(school.database, new, sign) == first
    assert (count(school.database, SubmissionRow), count(school.database, JobRow)) == (1, 1)
    assert latest_event_number(school.database) == last


def test_repeated_submission_is_answered_after_the_lesson_closed(school: School) -> None:
    person = school.add_member()
    new = school.new_submission(person, SubmissionKind.FINAL)
    first = submissions.receive_submission(school.database, new, sign)
    classrooms.set_assignment(
        school.database, CLASSROOM, "first", schedule=LocalSchedule("UTC", closes_at=datetime(2026, 1, 1))
    )
    assert submissions.receive_submission(school.database, new, sign) == first


@pytest.mark.parametrize(
    "change", [{"files": (File("other", b""),)}, {"lesson": "second"}, {"kind": SubmissionKind.FINAL}]
)
def test_id_of_another_submission_is_rejected(school: School, change: dict[str, Any]) -> None:
    new = school.new_submission(school.add_member())
    submissions.receive_submission(school.database, new, sign)
    with pytest.raises(Conflict, match="already has this id"):
        submissions.receive_submission(school.database, replace(new, **change), sign)


def test_id_used_by_another_person_is_rejected(school: School) -> None:
    new = school.new_submission(school.add_member())
    submissions.receive_submission(school.database, new, sign)
    with pytest.raises(Conflict, match="already has this id"):
        submissions.receive_submission(school.database, replace(new, person_id=school.add_member("other").id), sign)


def test_submission_of_another_person_is_not_found(school: School) -> None:
    sent = school.send(school.add_member())
    with pytest.raises(NotFound):
        submissions.get_submission(school.database, sent.id, school.add_member("other").id)
    with pytest.raises(NotFound):
        submissions.get_submission(school.database, unknown_id(), sent.person_id)
    assert submissions.list_submissions(school.database, school.add_member("other").id, CLASSROOM) == ()


def test_submissions_are_listed_newest_first(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    person = school.add_member()
    sent = []
    for lesson in ("first", "second", "first"):
        sent.append(school.send(person, lesson=lesson).id)
        school.clock.advance(seconds=1)
    listed = submissions.list_submissions(school.database, person.id, CLASSROOM)
    assert [submission.id for submission in listed] == sent[::-1]
    assert [
        submission.id for submission in submissions.list_submissions(school.database, person.id, CLASSROOM, "second")
    ] == [sent[1]]
    monkeypatch.setattr(submission_queries, "MAX_LISTED_SUBMISSIONS", 1)
    [newest] = submissions.list_submissions(school.database, person.id, CLASSROOM)
    assert newest.id == sent[2]


def test_queue_positions_count_checks_first(school: School) -> None:
    person = school.add_member()
    final = school.send(person, SubmissionKind.FINAL)
    school.clock.advance(seconds=1)
    check = school.send(person)
    positions = [
        submissions.get_submission(school.database, submission.id, person.id).queue_position
        for submission in (check, final)
    ]
    assert positions == [1, 2]


@pytest.mark.parametrize("kind", SubmissionKind)
@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (
            LocalSchedule("Europe/Zurich", opens_at=datetime(2026, 3, 2, 13, 1)),
            r"opens on Mon 2 Mar 2026, 13:01 \(Europe/Zurich\)",
        ),
        (
            LocalSchedule("Europe/Zurich", closes_at=datetime(2026, 3, 2, 13, 0)),
            r"closed on Mon 2 Mar 2026, 13:00 \(Europe/Zurich\)",
        ),
    ],
)
def test_submission_outside_the_opening_times_is_rejected_except_from_staff(
    school: School, kind: SubmissionKind, schedule: LocalSchedule, message: str
) -> None:
    classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=schedule)
    with pytest.raises(Conflict, match=message):
        school.send(school.add_member(), kind)
    assert school.send(school.add_member("teacher", Role.INSTRUCTOR), kind).state is SubmissionState.QUEUED
    assert count(school.database, SubmissionRow) == 1


def test_submission_is_accepted_until_the_lesson_closes(school: School) -> None:
    closes = (NOON + timedelta(microseconds=1)).replace(tzinfo=None)
    classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=LocalSchedule("UTC", closes_at=closes))
    assert school.send(school.add_member(), SubmissionKind.FINAL)


def test_submission_limit_does_not_count_grader_errors(school: School) -> None:
    person = school.add_member()
    classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=LocalSchedule("UTC"), max_submissions=1)
    school.send(person, SubmissionKind.FINAL)
    job = school.claim()
    jobs.complete_job(school.database, job.id, Grading((), 0.0, grader_error=Message("grader-error")))
    school.submit(person, a=Outcome.FAILED, b=Outcome.FAILED)
    with pytest.raises(Conflict, match="all 1 submissions"):
        school.send(person, SubmissionKind.FINAL)
    assert school.send(person, SubmissionKind.CHECK)


def test_invalid_submission_is_rejected_and_not_stored(school: School) -> None:
    person = school.add_member()
    new = school.new_submission(person)
    for change, error in (
        ({"exercises": ("a", "x")}, BadInput),
        ({"files": (File("p", b""), File("p", b"1"))}, BadInput),
        ({"files": (File("a\0b", b""),)}, BadInput),
        ({"files": (File("\ud800", b""),)}, BadInput),
        ({"release_id": "f" * 64}, Conflict),
        ({"lesson": "third"}, NotFound),
        ({"lesson": "fir\0st"}, (NotFound, BadInput)),
        ({"classroom": "elsewhere"}, NotFound),
        ({"person_id": unknown_id()}, NotFound),
    ):
        with pytest.raises(error):
            submissions.receive_submission(school.database, replace(new, **change), sign)
    assert count(school.database, SubmissionRow) == 0


def test_nothing_is_stored_if_signing_the_receipt_fails(school: School) -> None:
    def fail_to_sign(fields: object) -> dict[str, str]:
        raise OSError("no key")

    with pytest.raises(OSError, match="no key"):
        submissions.receive_submission(
            school.database, school.new_submission(school.add_member(), SubmissionKind.FINAL), fail_to_sign
        )
    assert (count(school.database, SubmissionRow), count(school.database, JobRow)) == (0, 0)


def test_last_remaining_submission_is_accepted_once_by_concurrent_requests(
    school: School, connect: Callable[[], Database]
) -> None:
    person = school.add_member()
    classrooms.set_assignment(school.database, CLASSROOM, "first", schedule=LocalSchedule("UTC"), max_submissions=1)
    barrier = Barrier(4)

    def submit(database: Database) -> bool:
        barrier.wait()
        try:
            return (
                submissions.receive_submission(database, school.new_submission(person, SubmissionKind.FINAL), sign).kind
                is SubmissionKind.FINAL
            )
        except Conflict:
            return False

    with ThreadPoolExecutor(4) as pool:
        accepted = list(pool.map(submit, [connect() for _ in range(4)]))
    assert (sorted(accepted), count(school.database, SubmissionRow)) == ([False, False, False, True], 1)


def test_submission_sent_several_times_at_once_is_stored_once(school: School, connect: Callable[[], Database]) -> None:
    new = school.new_submission(school.add_member(), SubmissionKind.FINAL)
    services = [connect() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        received = list(pool.map(lambda database: submissions.receive_submission(database, new, sign), services))
    assert len(set(map(repr, received))) == 1
    assert (count(school.database, SubmissionRow), count(school.database, JobRow)) == (1, 1)
