"""Three-way merge of a data file of a new release into the student's folder. Pure; merges whole files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class FileMergeResult:
    """The merged content (None: delete the file), and the release's version to save beside it (None: not needed)."""

    content: bytes | None
    release_copy: bytes | None = None


def merge_file(base: bytes | None, mine: bytes | None, theirs: bytes | None) -> FileMergeResult:
    """Merge a file that is not a notebook; None means that the version does not have the file.

    A file that the student has changed is kept; if the release has changed it too, the release's version is saved beside it. A file
    that the student has deleted is restored, because the lesson needs its data.
    """
    if mine is None or mine in (base, theirs):
        return FileMergeResult(theirs)
    if theirs in (None, base):
        return FileMergeResult(mine)
    return FileMergeResult(mine, theirs)


def choose_copy_name(path: str, taken: Collection[str]) -> str:
    """Return an unused name for the release's version of a file: for data.csv, data.new.csv, then data.new-2.csv, and so on."""
    folder, slash, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    count = 1
    while (candidate := f"{folder}{slash}{stem}.new{f'-{count}' if count > 1 else ''}{dot}{suffix}") in taken:
        count += 1
    return candidate
