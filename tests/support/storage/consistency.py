"""Do the books balance? What must hold after every fault, proved from the tables, the stored bytes and the receipts that people hold.

books_balance(database, ada.receipts, public_keys)     # AssertionError says which book does not
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
"""What people hold: submission id to the receipt as it was answered."""


async def balanced(settings: Settings, caller: ServiceClient, *work: Mapping[str, Any]) -> None:
    """The books of a running service balance, and hold exactly the work that was answered so (as WorkReply)."""
    keys = (await caller.get("api/receipts/keys"))["keys"]
    receipts = {one["id"]: one["receipt"] for one in work if one["kind"] == "submission"}
    with Database(settings.resolved_database_url) as database:
        assert books_balance(database, receipts, keys) == {UUID(one["id"]) for one in work}


def books_balance(database: Database, receipts: Receipts, public_keys: Mapping[str, str]) -> set[UUID]:
    """Proves that receipts, stored hashes and gradings are equal sets, each once, and that no classroom's events have a gap.

    Nothing may be waiting or at work any more. `receipts` are all that were given to anybody, `public_keys` the service's. Returns
    the ids of all work, checks included.
    """
    with database.read() as session:
        work = {row.id: row for row in session.scalars(select(SubmissionRow))}
        _receipts_are_held(session, work, receipts, public_keys)
        _bytes_are_stored(session, database, work)
        _each_is_graded_once(session, work)
        _each_attempt_is_entered_once(session, work)
        _events_tell_all_of_it(session, work)
        return set(work)


def _receipts_are_held(
    session: Session, work: Mapping[UUID, SubmissionRow], receipts: Receipts, keys: Mapping[str, str]
) -> None:
    """What people hold is what the tables have, signed and about this very work."""
    kept = {str(row.id): row.receipt for row in work.values() if row.kind == "submission"}
    assert {id: dict(receipt) for id, receipt in receipts.items()} == kept
    codes = [receipt["code"] for receipt in receipts.values()]
    assert len(codes) == len(set(codes)), "two receipts have one code"
    for id, held in receipts.items():
        receipt, row = Receipt.model_validate(held), work[UUID(id)]
        assert verify_receipt(receipt, keys), f"the signature of {held} does not hold"
        assert (receipt.submission_id, receipt.person_id, receipt.release_id) == (row.id, row.person_id, row.release_id)
        assert (receipt.content_hash, receipt.received_at) == (row.content_hash, row.received_at)
    assert not [row.id for row in work.values() if row.kind == "check" and row.receipt]


def _bytes_are_stored(session: Session, database: Database, work: Mapping[UUID, SubmissionRow]) -> None:
    """Every file of a row is there with the bytes that its hash says, and nothing is there that no row names."""
    named: dict[UUID, list[tuple[str, str]]] = {id: [] for id in work}
    for file in session.scalars(select(SubmissionFileRow)):
        named[file.submission_id].append((file.path, file.sha256))
    digests = {digest for files in named.values() for _, digest in files}
    contents = database.blobs.read(session, "submission", digests)  # reads each and computes its hash again
    for id, files in named.items():
        found = compute_content_hash(File(path, contents[digest]) for path, digest in files)
        assert found == work[id].content_hash, f"the files of {id} are not what was handed in"
    assert _stored(session, database) == digests


def _stored(session: Session, database: Database) -> set[str]:
    """The digests (or names of half-written files) in the store of handed-in work."""
    if isinstance(database.blobs, FileBlobStore):
        return {path.name for path in (database.blobs.folder / "submission").rglob("*") if path.is_file()}
    return set(session.scalars(select(BlobRow.sha256).where(BlobRow.namespace == "submission")))


def _each_is_graded_once(session: Session, work: Mapping[UUID, SubmissionRow]) -> None:
    """One job for each work, done, and in it one verdict for each exercise of the release."""
    jobs = session.scalars(select(JobRow)).all()
    assert Counter(job.submission_id for job in jobs) == Counter(work.keys())
    assert {job.state for job in jobs} <= {"done"}
    assert {row.state for row in work.values()} <= {"graded"}
    assert all(row.graded_at for row in work.values())
    releases = load_exercises(session, {row.release_id for row in work.values()})
    expected = {(id, one.grade_id): 1 for id, row in work.items() for one in releases[row.release_id]}
    verdicts = session.execute(select(VerdictRow.submission_id, VerdictRow.grade_id))
    found = Counter((submission, grade_id) for submission, grade_id in verdicts)
    asked = {key: 1 for key in expected if not work[key[0]].exercises or key[1] in work[key[0]].exercises}
    assert found == asked


def _each_attempt_is_entered_once(session: Session, work: Mapping[UUID, SubmissionRow]) -> None:
    """An attempt comes from one verdict; those of submissions are in the ledger, each at most once, the newest last."""
    attempts = {row.id: row for row in session.scalars(select(AttemptRow))}
    assert len({row.verdict_id for row in attempts.values()}) == len(attempts)
    entered = Counter(session.scalars(select(LedgerRow.attempt_id)))
    assert set(entered.values()) <= {1}
    assert {work[attempts[id].submission_id].kind for id in entered if id} <= {"submission"}
    newest: dict[tuple[UUID, UUID, str], AttemptRow] = {}
    for row in sorted(attempts.values(), key=lambda row: row.received_at):
        if row.kind == "submission":
            newest[row.person_id, row.assignment_id, row.grade_id] = row
    entries = session.execute(
        select(MemberRow.person_id, LedgerRow).join(MemberRow, MemberRow.id == LedgerRow.member_id)
    ).all()
    superseded = [entry.supersedes for _, entry in entries if entry.supersedes is not None]
    assert len(superseded) == len(set(superseded)), "one entry is superseded twice"
    counting = {
        (person, entry.assignment_id, entry.grade_id): entry.attempt_id
        for person, entry in entries
        if entry.number not in superseded
    }
    assert counting == {key: row.id for key, row in newest.items()}


def _events_tell_all_of_it(session: Session, work: Mapping[UUID, SubmissionRow]) -> None:
    """Numbers from 1 on without a gap; each work is told of once as it arrives and once when it is graded, each award once."""
    rooms = {row.id: row for row in session.scalars(select(ClassroomRow))}
    events = session.scalars(select(EventRow).order_by(EventRow.classroom_id, EventRow.number)).all()
    for id, room in rooms.items():
        numbers = [event.number for event in events if event.classroom_id == id]
        assert numbers == list(range(1, room.last_event + 1)), f"the events of {room.slug} have a gap"
    where = {row.id: row.classroom_id for row in session.scalars(select(AssignmentRow))}
    expected = Counter((where[row.assignment_id], row.person_id, str(row.id)) for row in work.values())
    for kind in (EventKind.SUBMISSION_RECEIVED, EventKind.SUBMISSION_GRADED):
        told = [
            (event.classroom_id, event.person_id, event.data["submission_id"]) for event in events if event.kind == kind
        ]
        assert Counter(told) == expected, kind
    given = Counter((row.classroom_id, row.person_id, row.achievement) for row in session.scalars(select(AwardRow)))
    awards = [
        (event.classroom_id, event.person_id, event.data["award"]) for event in events if event.kind == "award-earned"
    ]
    assert Counter(awards) == given
    people = set(session.scalars(select(PersonRow.id)))
    assert {event.person_id for event in events if event.person_id} <= people
