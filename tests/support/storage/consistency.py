"""Consistency check for fault tests: tables, stored files and the receipts of students must agree.

check_consistency(database, ada.receipts, public_keys)     # raises AssertionError
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pmh_jupyter.config import Settings
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.events import EventKind
from pmh_jupyter.domain.hashing import compute_content_hash
from pmh_jupyter.service.receipts import verify_receipt
from pmh_jupyter.storage.blobs import FileBlobStore
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records.shared_queries import load_exercises
from pmh_jupyter.storage.tables.classrooms import AssignmentRow, ClassroomRow, MemberRow
from pmh_jupyter.storage.tables.courses import BlobRow
from pmh_jupyter.storage.tables.people import PersonRow
from pmh_jupyter.storage.tables.results import AttemptRow, AwardRow, EventRow, LedgerRow, VerdictRow
from pmh_jupyter.storage.tables.submissions import JobRow, SubmissionFileRow, SubmissionRow
from pmh_jupyter.wire.submission import Receipt
from tests.support.service.service_process import ServiceClient

Receipts = Mapping[str, Mapping[str, Any]]
"""Receipts as students received them, by submission id."""


async def check_service_consistency(settings: Settings, caller: ServiceClient, *submissions: Mapping[str, Any]) -> None:
    """Check the database of a running service. It must have exactly the given submissions (each a SubmissionReply)."""
    keys = (await caller.get("api/receipts/keys"))["keys"]
    receipts = {reply["id"]: reply["receipt"] for reply in submissions if reply["kind"] == "final"}
    with Database(settings.resolved_database_url) as database:
        assert check_consistency(database, receipts, keys) == {UUID(reply["id"]) for reply in submissions}


def check_consistency(database: Database, receipts: Receipts, public_keys: Mapping[str, str]) -> set[UUID]:
    """Check that each submission has its receipt, files, grading and events exactly once, and that event numbers have no gaps.

    All submissions must be graded. receipts: all receipts that anybody received. public_keys: those of the service.
    Returns the ids of all submissions, checks included.
    """
    with database.begin_read() as session:
        submissions = {row.id: row for row in session.scalars(select(SubmissionRow))}
        _check_receipts(session, submissions, receipts, public_keys)
        _check_files(session, database, submissions)
        _check_gradings(session, submissions)
        _check_ledger(session, submissions)
        _check_events(session, submissions)
        return set(submissions)


def _check_receipts(
    session: Session, submissions: Mapping[UUID, SubmissionRow], receipts: Receipts, keys: Mapping[str, str]
) -> None:
    """The given receipts equal the stored ones, have valid signatures and match their submissions."""
    stored_receipts = {str(row.id): row.receipt for row in submissions.values() if row.kind == "final"}
    assert {id: dict(receipt) for id, receipt in receipts.items()} == stored_receipts, "receipts differ"
    codes = [receipt["code"] for receipt in receipts.values()]
    assert len(codes) == len(set(codes)), "two receipts have the same code"
    for id, given_receipt in receipts.items():
        receipt, row = Receipt.model_validate(given_receipt), submissions[UUID(id)]
        assert verify_receipt(receipt, keys), f"the signature of {given_receipt} is invalid"
        assert (receipt.submission_id, receipt.person_id, receipt.release_id) == (row.id, row.person_id, row.release_id)
        assert (receipt.content_hash, receipt.received_at) == (row.content_hash, row.received_at), "a receipt is false"
    assert not [row.id for row in submissions.values() if row.kind == "check" and row.receipt]


def _check_files(session: Session, database: Database, submissions: Mapping[UUID, SubmissionRow]) -> None:
    """Every submitted file is stored with the right content, and no other file is stored."""
    files_by_submission: dict[UUID, list[tuple[str, str]]] = {id: [] for id in submissions}
    for file in session.scalars(select(SubmissionFileRow)):
        files_by_submission[file.submission_id].append((file.path, file.sha256))
    digests = {digest for files in files_by_submission.values() for _, digest in files}
    contents = database.blobs.read(session, "submission", digests)  # verifies the hash of each
    for id, files in files_by_submission.items():
        actual = compute_content_hash(File(path, contents[digest]) for path, digest in files)
        assert actual == submissions[id].content_hash, f"the files of {id} differ from those submitted"
    assert _stored_digests(session, database) == digests, "other files than the submitted ones are stored"


def _stored_digests(session: Session, database: Database) -> set[str]:
    """Return the digests, or names of partial files, in the store of submitted files."""
    if isinstance(database.blobs, FileBlobStore):
        return {path.name for path in (database.blobs.folder / "submission").rglob("*") if path.is_file()}
    return set(session.scalars(select(BlobRow.sha256).where(BlobRow.namespace == "submission")))


def _check_gradings(session: Session, submissions: Mapping[UUID, SubmissionRow]) -> None:
    """Each submission has one job, which is done and has one verdict for each requested exercise."""
    jobs = session.scalars(select(JobRow)).all()
    assert Counter(job.submission_id for job in jobs) == Counter(submissions.keys())
    assert {job.state for job in jobs} <= {"done"}, "a job is not done"
    assert {row.state for row in submissions.values()} <= {"graded"}, "a submission is not graded"
    assert all(row.graded_at for row in submissions.values())
    releases = load_exercises(session, {row.release_id for row in submissions.values()})
    expected = {(id, exercise.grade_id): 1 for id, row in submissions.items() for exercise in releases[row.release_id]}
    verdicts = session.execute(select(VerdictRow.submission_id, VerdictRow.grade_id))
    actual = Counter((submission, grade_id) for submission, grade_id in verdicts)
    requested = {
        key: 1 for key in expected if not submissions[key[0]].exercises or key[1] in submissions[key[0]].exercises
    }
    assert actual == requested


def _check_ledger(session: Session, submissions: Mapping[UUID, SubmissionRow]) -> None:
    """Each attempt has one verdict. Attempts of final submissions have at most one ledger entry, and the newest one counts."""
    attempts = {row.id: row for row in session.scalars(select(AttemptRow))}
    assert len({row.verdict_id for row in attempts.values()}) == len(attempts)
    entry_counts = Counter(session.scalars(select(LedgerRow.attempt_id)))
    assert set(entry_counts.values()) <= {1}
    assert {submissions[attempts[id].submission_id].kind for id in entry_counts if id} <= {"final"}
    newest: dict[tuple[UUID, UUID, str], AttemptRow] = {}
    for row in sorted(attempts.values(), key=lambda row: row.received_at):
        if row.kind == "final":
            newest[row.person_id, row.assignment_id, row.grade_id] = row
    entries = session.execute(
        select(MemberRow.person_id, LedgerRow).join(MemberRow, MemberRow.id == LedgerRow.member_id)
    ).all()
    superseded = [entry.supersedes for _, entry in entries if entry.supersedes is not None]
    assert len(superseded) == len(set(superseded)), "an entry is superseded twice"
    counting_entries = {
        (person, entry.assignment_id, entry.grade_id): entry.attempt_id
        for person, entry in entries
        if entry.number not in superseded
    }
    assert counting_entries == {key: row.id for key, row in newest.items()}


def _check_events(session: Session, submissions: Mapping[UUID, SubmissionRow]) -> None:
    """Event numbers have no gaps. Each submission has one event of arrival and one of grading, and each award has one event."""
    classrooms = {row.id: row for row in session.scalars(select(ClassroomRow))}
    events = session.scalars(select(EventRow).order_by(EventRow.classroom_id, EventRow.number)).all()
    for id, classroom in classrooms.items():
        numbers = [event.number for event in events if event.classroom_id == id]
        assert numbers == list(range(1, classroom.last_event + 1)), f"event numbers of {classroom.slug} have a gap"
    classroom_ids = {row.id: row.classroom_id for row in session.scalars(select(AssignmentRow))}
    expected = Counter((classroom_ids[row.assignment_id], row.person_id, str(row.id)) for row in submissions.values())
    for kind in (EventKind.SUBMISSION_RECEIVED, EventKind.SUBMISSION_GRADED):
        reported = [
            (event.classroom_id, event.person_id, event.data["submission_id"]) for event in events if event.kind == kind
        ]
        assert Counter(reported) == expected, kind
    granted = Counter((row.classroom_id, row.person_id, row.achievement) for row in session.scalars(select(AwardRow)))
    awards = [
        (event.classroom_id, event.person_id, event.data["award"]) for event in events if event.kind == "award-earned"
    ]
    assert Counter(awards) == granted, "awards differ from their events"
    people = set(session.scalars(select(PersonRow.id)))
    assert {event.person_id for event in events if event.person_id} <= people
