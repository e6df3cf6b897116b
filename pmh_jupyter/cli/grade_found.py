"""Which submissions a path on the command line stands for.

A notebook is a submission, and so is a folder that holds one, or one of the lesson's notebooks at its place. Any other folder holds
submissions: each of its subfolders is one by the same rule, or is a student's in nbgrader's layout
(`submitted/<student>/<assignment>/`), whose subfolder of the lesson's name is the submission. A student's folder without it is nobody's
submission of this lesson, and is only counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pmh_jupyter.domain.course import Release


@dataclass
class Found:
    """Paths of submissions, in the order that they were named, each once; `without` counts folders that hold none."""

    paths: list[str] = field(default_factory=list)
    without: int = 0


def find_submissions(given: Iterable[str], release: Release) -> Found:
    """The submissions that these paths stand for. A path that holds none stays, so that somebody is told of it."""
    found = Found()
    for path in given:
        found.paths += _below(Path(path), release, found) or [path]
    found.paths = list(dict.fromkeys(found.paths))
    return found


def _below(place: Path, release: Release, found: Found) -> list[str]:
    one = _one(place, release)
    if one or not place.is_dir():
        return [str(one)] if one else []
    paths = []
    for folder in sorted(folder for folder in place.iterdir() if folder.is_dir() and not folder.name.startswith(".")):
        one = _one(folder, release)
        if one:
            paths.append(str(one))
        else:
            found.without += 1
    return paths


def _one(place: Path, release: Release) -> Path | None:
    """The submission that is this place or, by the lesson's name, right in it."""
    return next((where for where in (place, place / release.lesson) if _is_submission(where, release)), None)


def _is_submission(place: Path, release: Release) -> bool:
    if not place.is_dir():
        return place.is_file()
    known = (place / file.path for file in release.student if file.path.endswith(".ipynb"))
    return any(path.is_file() for path in known) or next(place.glob("*.ipynb"), None) is not None
