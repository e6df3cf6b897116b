"""A new release's data files come into the student's folder. Pure, three-way, whole files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class FileMergeResult:
    """What the file becomes (None: it goes), and what is put beside it under another name (None: nothing)."""

    content: bytes | None
    release_copy: bytes | None = None


def merge_file(base: bytes | None, mine: bytes | None, theirs: bytes | None) -> FileMergeResult:
    """Merges a file that is no notebook; None stands for a version without the file.

    A file that the student changed stays; where the release changed it too, the release's is put beside it. A file that the student
    deleted comes back, because a lesson needs its data.
    """
    if mine is None or mine in (base, theirs):
        return FileMergeResult(theirs)
    if theirs in (None, base):
        return FileMergeResult(mine)
    return FileMergeResult(mine, theirs)


def choose_copy_name(path: str, taken: Collection[str]) -> str:
    """A free name for the release's version of a file: data.csv becomes data.new.csv, then data.new-2.csv, and so on."""
    folder, slash, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    count = 1
    while (candidate := f"{folder}{slash}{stem}.new{f'-{count}' if count > 1 else ''}{dot}{suffix}") in taken:
        count += 1
    return candidate
