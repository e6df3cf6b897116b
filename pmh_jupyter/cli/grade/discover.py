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
class DiscoveredSubmissions:
    """Paths of submissions, in the order that they were named, each once; `without` counts folders that hold none."""

    paths: list[str] = field(default_factory=list)
    folders_without_submission: int = 0


def find_submissions(paths: Iterable[str], release: Release) -> DiscoveredSubmissions:
    """The submissions that these paths stand for. A path that holds none stays, so that somebody is told of it."""
    discovered = DiscoveredSubmissions()
    for path in paths:
        discovered.paths += _find_below(Path(path), release, discovered) or [path]
    discovered.paths = list(dict.fromkeys(discovered.paths))
    return discovered


def _find_below(path: Path, release: Release, discovered: DiscoveredSubmissions) -> list[str]:
    submission = _find_submission_at(path, release)
    if submission or not path.is_dir():
        return [str(submission)] if submission else []
    paths = []
    for folder in sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith(".")):
        submission = _find_submission_at(folder, release)
        if submission:
            paths.append(str(submission))
        else:
            discovered.folders_without_submission += 1
    return paths


def _find_submission_at(path: Path, release: Release) -> Path | None:
    """The submission that is this place or, by the lesson's name, right in it."""
    return next((candidate for candidate in (path, path / release.lesson) if _is_submission(candidate, release)), None)


def _is_submission(candidate: Path, release: Release) -> bool:
    if not candidate.is_dir():
        return candidate.is_file()
    lesson_notebooks = (candidate / file.path for file in release.student_files if file.path.endswith(".ipynb"))
    return any(path.is_file() for path in lesson_notebooks) or next(candidate.glob("*.ipynb"), None) is not None
