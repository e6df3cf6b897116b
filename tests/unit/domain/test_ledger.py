"""A grade as a fold, and content hashes."""

from __future__ import annotations

import hashlib
from itertools import permutations

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.ids import content_hash, sha256
from pmh_jupyter.domain.ledger import Entry, EntryKind, grade

VERDICT, MARK, PENALTY, OVERRIDE = EntryKind


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], None),
        ([Entry(1, VERDICT, 800)], 800),
        ([Entry(1, VERDICT, 800), Entry(2, VERDICT, 500, supersedes=1)], 500),
        ([Entry(1, VERDICT, 800), Entry(2, VERDICT, 500)], 500),
        ([Entry(1, VERDICT, 0), Entry(2, MARK, 900)], 900),
        ([Entry(1, MARK, 900), Entry(2, VERDICT, 0)], 900),
        ([Entry(1, VERDICT, 800), Entry(2, PENALTY, 100), Entry(3, PENALTY, 200)], 500),
        ([Entry(1, VERDICT, 800), Entry(2, PENALTY, 100), Entry(3, PENALTY, 0, supersedes=2)], 800),
        ([Entry(1, VERDICT, 100), Entry(2, PENALTY, 300)], 0),
        ([Entry(1, PENALTY, 300)], None),
        ([Entry(1, VERDICT, 100), Entry(2, PENALTY, 50), Entry(3, OVERRIDE, 700)], 700),
        ([Entry(1, VERDICT, 100), Entry(2, OVERRIDE, 0)], 0),
    ],
)
def test_a_grade(entries: list[Entry], expected: int | None) -> None:
    assert {grade(order) for order in permutations(entries)} == {expected}


def test_a_content_hash_can_be_computed_again_by_anybody() -> None:
    files = (File("b.txt", b"2"), File("ä.txt", b"1"))
    manifest = f'[["b.txt","{sha256(b"2")}"],["ä.txt","{sha256(b"1")}"]]'
    assert content_hash(files) == hashlib.sha256(manifest.encode()).hexdigest()
    assert content_hash(reversed(files)) == content_hash(files)
    assert content_hash(files[:1]) != content_hash(files)
    assert content_hash((File("b.txt", b"3"), files[1])) != content_hash(files)
