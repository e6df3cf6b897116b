"""The helper that proves after a fault that nothing was lost or doubled notices each thing that could be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.service.receipts import ReceiptSigner
from pmh_jupyter.storage.records import submissions
from tests.support.storage.consistency import books_balance
from tests.support.storage.school import School

Books = tuple[School, dict[str, dict[str, Any]], dict[str, str]]


@pytest.fixture
def books(school: School, tmp_path: Path) -> Books:
    """A check and two submissions, graded, with the receipts that were given."""
    signer, person, receipts = ReceiptSigner(tmp_path / "key"), school.member(), {}
    school.check(person, a=Outcome.FAILED, b=Outcome.PASSED)
    for _ in range(2):
        sent = submissions.receive_submission(school.database, school.new(person, SubmissionKind.FINAL), signer.sign)
        receipts[str(sent.id)] = dict(sent.receipt or {})
        school.clock.forward(seconds=1)
        school.grade(a=Outcome.PASSED, b=Outcome.PASSED)
    return school, receipts, signer.public_keys


def test_books_in_order_balance(books: Books) -> None:
    school, receipts, keys = books
    assert len(books_balance(school.database, receipts, keys)) == 3


def test_a_receipt_missing_altered_or_signed_by_another(books: Books, tmp_path: Path) -> None:
    school, receipts, keys = books
    first, *_ = receipts
    altered = receipts | {first: receipts[first] | {"content_hash": "0" * 64}}
    others = ReceiptSigner(tmp_path / "another").public_keys
    for held, known in (({}, keys), (altered, keys), (receipts, others)):
        with pytest.raises(AssertionError):
            books_balance(school.database, held, known)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE jobs SET state = 'queued'",
        "UPDATE submissions SET state = 'failed'",
        "UPDATE submissions SET content_hash = 'x'",
        "UPDATE classrooms SET last_event = last_event + 1",
        "DELETE FROM submission_files WHERE path = 'extra.txt'",
        "DELETE FROM awards",
    ],
)
def test_a_table_that_tells_another_story(books: Books, damage: str) -> None:
    school, receipts, keys = books
    with school.database.write() as session:
        session.execute(text(damage))
    with pytest.raises(AssertionError):
        books_balance(school.database, receipts, keys)


def test_bytes_that_nobody_names(books: Books) -> None:
    school, receipts, keys = books
    with school.database.write() as session:
        school.database.blobs.stage("submission", [b"stray"])
        school.database.blobs.store(session, "submission", [b"stray"])
    with pytest.raises(AssertionError):
        books_balance(school.database, receipts, keys)


def test_bytes_that_are_lost(books: Books) -> None:
    school, receipts, keys = books
    folder = getattr(school.database.blobs, "folder", None)
    if folder is None:
        with school.database.write() as session:
            session.execute(text("DELETE FROM blobs WHERE namespace = 'submission'"))
    else:
        next(path for path in (folder / "submission").rglob("*") if path.is_file()).unlink()
    with pytest.raises(Unavailable, match="missing"):
        books_balance(school.database, receipts, keys)
