"""The consistency check of the fault tests notices every kind of damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.service.receipts import ReceiptSigner
from pmh_jupyter.storage.records import submissions
from tests.support.storage.consistency import check_consistency
from tests.support.storage.school import School

GradedSchool = tuple[School, dict[str, dict[str, Any]], dict[str, str]]


@pytest.fixture
def graded_school(school: School, tmp_path: Path) -> GradedSchool:
    """A graded check and two graded final submissions, with their receipts and the public keys."""
    signer, person, receipts = ReceiptSigner(tmp_path / "key"), school.add_member(), {}
    school.check(person, a=Outcome.FAILED, b=Outcome.PASSED)
    for _ in range(2):
        sent = submissions.receive_submission(
            school.database, school.new_submission(person, SubmissionKind.FINAL), signer.sign
        )
        receipts[str(sent.id)] = dict(sent.receipt or {})
        school.clock.advance(seconds=1)
        school.grade_next(a=Outcome.PASSED, b=Outcome.PASSED)
    return school, receipts, signer.public_keys


def test_undamaged_database_is_consistent(graded_school: GradedSchool) -> None:
    school, receipts, keys = graded_school
    assert len(check_consistency(school.database, receipts, keys)) == 3


def test_missing_altered_or_foreign_receipt_is_noticed(graded_school: GradedSchool, tmp_path: Path) -> None:
    school, receipts, keys = graded_school
    first, *_ = receipts
    altered = receipts | {first: receipts[first] | {"content_hash": "0" * 64}}
    others = ReceiptSigner(tmp_path / "another").public_keys
    with pytest.raises(AssertionError, match="receipts differ"):
        check_consistency(school.database, {}, keys)
    with pytest.raises(AssertionError, match="receipts differ"):
        check_consistency(school.database, altered, keys)
    with pytest.raises(AssertionError, match="the signature of .* is invalid"):
        check_consistency(school.database, receipts, others)


@pytest.mark.parametrize(
    ("damage", "contradiction"),
    [
        pytest.param("UPDATE jobs SET state = 'queued'", "a job is not done", id="job state"),
        pytest.param("UPDATE submissions SET state = 'failed'", "a submission is not graded", id="submission state"),
        pytest.param(
            "UPDATE submissions SET content_hash = 'x' WHERE kind = 'final'",
            "a receipt is false",
            id="content hash of a receipt",
        ),
        pytest.param(
            "UPDATE submissions SET content_hash = 'x' WHERE kind = 'check'",
            "the files of .* differ",
            id="content hash of a check",
        ),
        pytest.param(
            "UPDATE classrooms SET last_event = last_event + 1", "event numbers of .* have a gap", id="last event"
        ),
        pytest.param(
            "DELETE FROM submission_files WHERE path = 'extra.txt'", "the files of .* differ", id="missing file"
        ),
        pytest.param("DELETE FROM awards", "awards differ from their events", id="missing awards"),
    ],
)
def test_contradiction_between_tables_is_noticed(graded_school: GradedSchool, damage: str, contradiction: str) -> None:
    school, receipts, keys = graded_school
    with school.database.begin_write() as session:
        session.execute(text(damage))
    with pytest.raises(AssertionError, match=contradiction):
        check_consistency(school.database, receipts, keys)


def test_blob_without_a_row_is_noticed(graded_school: GradedSchool) -> None:
    school, receipts, keys = graded_school
    with school.database.begin_write() as session:
        school.database.blobs.stage("submission", [File("any", b"stray")])
        school.database.blobs.store(session, "submission", [File("any", b"stray")])
    with pytest.raises(AssertionError, match="other files than the submitted ones"):
        check_consistency(school.database, receipts, keys)


def test_missing_blob_is_noticed(graded_school: GradedSchool) -> None:
    school, receipts, keys = graded_school
    folder = getattr(school.database.blobs, "folder", None)
    if folder is None:
        with school.database.begin_write() as session:
            session.execute(text("DELETE FROM blobs WHERE namespace = 'submission'"))
    else:
        next(path for path in (folder / "submission").rglob("*") if path.is_file()).unlink()
    with pytest.raises(Unavailable, match="missing"):
        check_consistency(school.database, receipts, keys)
