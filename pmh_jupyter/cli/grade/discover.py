"""Finds the submissions of a lesson among the paths on the command line of `pmh grade`.

A file is a submission. A folder is a submission, or it holds submissions:

1. It contains one of the lesson's notebooks by name: it is a submission, unless two or more folders in it contain the lesson as well.
2. It contains a folder named like the lesson: that folder is the submission (nbgrader's layout, `submitted/<student>/<assignment>/`).
3. Folders in it hold submissions: it is a folder of students, and rules 1, 2 and 4 apply to each of them. A folder named like the lesson
   may be up to `MAX_DEPTH` levels below a student's folder.
4. It holds any notebook: it is a submission whose notebook was renamed. A folder named on the command line that holds several
   notebooks with cells of the lesson, none of them under the lesson's name, has one notebook per student.

No link below a path of the command line is followed. A path of the command line may be one.

Names are compared without regard to case and to Unicode normalization. A folder that matches no rule is not graded: it is reported as
unmapped, with the rule that was tried last.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path, PurePath

from pmh_jupyter.authoring.submission_folder import read_grade_ids
from pmh_jupyter.domain.course import Release
from pmh_jupyter.domain.notebook import read_notebook
from pmh_jupyter.grading.notebook_lookup import normalize_notebook_name

MAX_DEPTH = 3
GradeIdReader = Callable[[str, str], frozenset[str]]
_IGNORED_FOLDERS = frozenset({"__pycache__", "__macosx"})


@dataclass(frozen=True)
class UnmappedPath:
    """A path without a submission, and the rule that failed for it."""

    path: str
    rule: str

    def __str__(self) -> str:
        return f"{self.path} is not graded: {self.rule}"


@dataclass
class DiscoveredSubmissions:
    """Paths of submissions without duplicates, in command-line order, and the paths that could not be mapped to a submission.

    roots: for each submission, the path on the command line at or below which it was found.
    """

    paths: list[str] = field(default_factory=list)
    roots: dict[str, str] = field(default_factory=dict)
    unmapped: list[UnmappedPath] = field(default_factory=list)


def find_submissions(
    paths: Iterable[str], release: Release, source: str, read_grade_ids: GradeIdReader = read_grade_ids
) -> DiscoveredSubmissions:
    """Find the submissions below these paths.

    source: the path of the lesson's source, after which the lesson's folders are named.
    read_grade_ids: reads the grade_ids of a notebook at a path below a path of the command line; none if it cannot be read.
    """
    discovered = DiscoveredSubmissions()
    finder = _SubmissionFinder(release, Path(source), discovered, read_grade_ids)
    for path in paths:
        for submission in finder.find(Path(path)):
            discovered.roots.setdefault(str(submission), path)
    discovered.paths = list(discovered.roots)
    discovered.unmapped = list(dict.fromkeys(discovered.unmapped))
    return discovered


class _SubmissionFinder:
    def __init__(
        self, release: Release, source: Path, discovered: DiscoveredSubmissions, read_grade_ids: GradeIdReader
    ) -> None:
        self._release, self._discovered = release, discovered
        self._read_grade_ids = cache(read_grade_ids)
        self._notebook_paths = [file.path for file in release.student_files if file.is_ipynb]
        resolved_source = source.resolve()
        # The folder of a single notebook may or may not have the assignment's name.
        names = (resolved_source.name,) if source.is_dir() else (resolved_source.stem, resolved_source.parent.name)
        self._lesson_names = {_normalize(name): name for name in (release.lesson, *names) if name}

    def find(self, path: Path) -> list[Path]:
        """Find the submissions at one path of the command line."""
        if not path.is_dir():
            return [path]  # a missing file is reported when it is read
        self._report_links(path)
        rules = (
            self._match_lesson_notebook,
            self._match_lesson_folder,
            self._match_notebooks_with_lesson_cells,
            self._match_student_folders,
            self._match_any_notebook,
        )
        return next((submissions for match in rules if (submissions := match(path))), [])

    def _match_lesson_notebook(self, path: Path) -> list[Path]:
        """Rule 1."""
        return [path] if self._holds_lesson_notebook(path) and not self._holds_several_lessons(path) else []

    def _match_lesson_folder(self, path: Path) -> list[Path]:
        """Rule 2."""
        if self._holds_lesson_notebook(path):
            return []
        matching_folders = [
            notebook_folder
            for folder in _list_subfolders(path)
            if self._has_lesson_name(folder) and (notebook_folder := self._find_notebook_folder(folder))
        ]
        return matching_folders if len(matching_folders) == 1 else []

    def _match_notebooks_with_lesson_cells(self, path: Path) -> list[Path]:
        """Rule 4 for renamed notebooks that have cells of the lesson, which comes before rule 3."""
        if not _holds_notebook(path) or self._holds_several_lessons(path):
            return []
        notebooks = self._find_notebooks_with_lesson_cells(path)
        own_names = {normalize_notebook_name(name) for name in self._notebook_paths}
        is_copy = any(normalize_notebook_name(notebook.name) in own_names for notebook in notebooks)
        if len(notebooks) == 1 or is_copy or (notebooks and len(self._notebook_paths) > 1):
            return [path]
        return notebooks

    def _match_student_folders(self, path: Path) -> list[Path]:
        """Rule 3."""
        folders = _list_subfolders(path)
        submissions = [submission for folder in folders if (submission := self._find_in_student_folder(folder))]
        if submissions:
            self._report_stray_notebooks(path)
        return submissions

    def _match_any_notebook(self, path: Path) -> list[Path]:
        """Rule 4 for other notebooks. A path without any notebook matches, too: it is reported when it is read."""
        return [path] if _holds_notebook(path) or not _holds_notebook(path, depth=MAX_DEPTH + 1) else []

    def _find_in_student_folder(self, folder: Path) -> Path | None:
        links = [link for link in _list_links(folder) if self._has_lesson_name(link)]
        if self._holds_lesson_notebook(folder):
            return folder
        matching_folders = self._find_folders_with_lesson_name(folder)
        if len(matching_folders) == 1:
            return matching_folders[0]
        if matching_folders:
            candidates = ", ".join(str(path.relative_to(folder)) for path in matching_folders[:3])
            self._report(
                folder,
                f"several folders in it could be the submission ({candidates}). Name the right one on the command line.",
            )
            return None
        if _holds_notebook(folder):
            return folder
        if links:
            self._report_link(links[0])
        else:
            self._report(folder, self._rule)
        return None

    def _report_stray_notebooks(self, path: Path) -> None:
        """Report notebooks beside the students' folders."""
        for notebook in _list_notebooks(path):
            self._report(
                notebook, "it is beside folders of students. If it is a submission, name it on the command line."
            )

    def _report_links(self, folder: Path) -> None:
        """Report links in a folder to what could be a submission."""
        if not self._holds_lesson_notebook(folder):  # reading the submission names the links in it
            for link in _list_links(folder):
                self._report_link(link)

    def _report_link(self, link: Path) -> None:
        self._report(link, "it is a link. If it leads to a submission, name it on the command line.")

    def _report(self, path: Path, rule: str) -> None:
        self._discovered.unmapped.append(UnmappedPath(str(path), rule))

    @cached_property
    def _rule(self) -> str:
        names = " or ".join(f"“{name}”" for name in self._lesson_names.values())
        return f"it contains no notebook, and there is no folder named {names} within {MAX_DEPTH} levels."

    def _holds_several_lessons(self, path: Path) -> bool:
        return sum(map(self._holds_lesson, _list_subfolders(path))) > 1

    def _holds_lesson(self, folder: Path) -> bool:
        return self._holds_lesson_notebook(folder) or bool(self._find_folders_with_lesson_name(folder))

    def _holds_lesson_notebook(self, folder: Path) -> bool:
        return any(_is_file_below(folder, path) for path in self._notebook_paths)

    def _has_lesson_name(self, folder: Path) -> bool:
        return _normalize(folder.name) in self._lesson_names

    def _find_folders_with_lesson_name(self, folder: Path) -> list[Path]:
        """Return the folders that have the lesson's name and hold notebooks, at the first level below `folder` that has any."""
        level = [folder]
        for _ in range(MAX_DEPTH):
            level = [subfolder for parent in level for subfolder in _list_subfolders(parent)]
            matching_folders = [
                subfolder
                for subfolder in level
                if self._has_lesson_name(subfolder) and self._find_notebook_folder(subfolder)
            ]
            if matching_folders:
                return [self._find_notebook_folder(subfolder) or subfolder for subfolder in matching_folders]
        return []

    def _find_notebook_folder(self, folder: Path) -> Path | None:
        """Return the folder with the notebooks: this one, or the only folder of the same name in it, as unpacked archives have it."""
        if _holds_notebook(folder) or self._holds_lesson_notebook(folder):
            return folder
        inner_folders = [
            subfolder
            for subfolder in _list_subfolders(folder)
            if self._has_lesson_name(subfolder) and _holds_notebook(subfolder)
        ]
        return inner_folders[0] if len(inner_folders) == 1 else None

    def _find_notebooks_with_lesson_cells(self, folder: Path) -> list[Path]:
        return [
            path for path in _list_notebooks(folder) if self._grade_ids & self._read_grade_ids(str(path), str(folder))
        ]

    @cached_property
    def _grade_ids(self) -> frozenset[str]:
        notebooks = [file for file in self._release.student_files if file.is_ipynb]
        return frozenset().union(
            *(read_notebook(file.path, file.content).index_cells_by_grade_id() for file in notebooks)
        )


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _list_subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if _is_folder(path) and not _is_ignored(path.name))
    except OSError:
        return []


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _IGNORED_FOLDERS


def _list_notebooks(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(
            path for path in folder.glob("*.ipynb") if _is_file_below(folder, path.name) and path.name[0] != "."
        )
    return []


def _holds_notebook(folder: Path, depth: int = 0) -> bool:
    """Return whether a notebook is in the folder, or up to `depth` levels below it."""
    return bool(_list_notebooks(folder)) or (
        depth > 0 and any(_holds_notebook(subfolder, depth - 1) for subfolder in _list_subfolders(folder))
    )


def _list_links(folder: Path) -> list[Path]:
    """Return the links in a folder to folders and notebooks."""
    with suppress(OSError):
        links = sorted(path for path in folder.iterdir() if path.is_symlink() and not _is_ignored(path.name))
        return [path for path in links if path.suffix == ".ipynb" or path.is_dir()]
    return []


def _is_file_below(folder: Path, path: str) -> bool:
    """Return whether a relative path names a regular file, and no part of it is a link."""
    parts = [folder.joinpath(*PurePath(path).parts[: count + 1]) for count in range(len(PurePath(path).parts))]
    return parts[-1].is_file() and not any(part.is_symlink() for part in parts)


def _normalize(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()
