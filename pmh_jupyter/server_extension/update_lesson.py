"""Brings a release of a lesson into the student's folder without losing anything of the student's.

The road: verify what came, plan (nothing is written yet), keep a copy of what will change, put each file in place. Killed
anywhere, the next opening does it again from the same base; a merge that is repeated changes nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from pmh_jupyter.domain.merge import MergeReport, merge_notebook
from pmh_jupyter.domain.merge_files import choose_copy_name, merge_file
from pmh_jupyter.errors import BadInput, InvalidNotebook
from pmh_jupyter.server_extension.lesson_folder import LessonFolder, check_name
from pmh_jupyter.wire.lab import MergeReply
from pmh_jupyter.wire.submission import StudentRelease


@dataclass(frozen=True)
class VerifiedRelease:
    """A release as it arrived, verified: content by path."""

    id: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class FileChange:
    """One file to change. `before` None: it is not there now. `after` None: it goes."""

    name: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class UpdatePlan:
    """What an opening will do. `merged` is None where no update came."""

    changes: tuple[FileChange, ...] = ()
    merge_reply: MergeReply | None = None
    is_update_postponed: bool = False


def verify_release(release: StudentRelease) -> VerifiedRelease:
    """Refuses what was damaged on the way or would not stay inside the lesson's folder; raises BadInput naming the file."""
    files: dict[str, bytes] = {}
    for file in release.files:
        try:
            content = base64.b64decode(file.content, validate=True)
        except (binascii.Error, ValueError):
            content = None
        if content is None or sha256(content).hexdigest() != file.sha256:
            raise BadInput(f"{file.path} was damaged on its way from the service.", advice="Open the lesson again.")
        files[check_name(file.path)] = content
    return VerifiedRelease(release.id, files)


def plan_update(
    folder: LessonFolder,
    current: VerifiedRelease,
    base: VerifiedRelease | None,
    unsaved_notebooks: frozenset[str] = frozenset(),
) -> UpdatePlan:
    """Decides what to do with each file. `unsaved` are server paths of notebooks that must not be changed now.

    The same release again only brings back what is missing. Raises InvalidNotebook where the student's cannot be merged.
    """
    if base is not None and base.id == current.id:
        return UpdatePlan(_restore_missing_files(folder, current))
    merge = _ReleaseMerge(folder, current, base)
    changes = tuple(merge.iter_changes())
    if any(
        f"{folder.server_path}/{change.name}" in unsaved_notebooks for change in changes if change.before is not None
    ):
        # All or nothing: half of an update would leave notebooks and data of different releases side by side.
        return UpdatePlan(_restore_missing_files(folder, base) if base else (), is_update_postponed=True)
    return UpdatePlan(changes, merge.merge_reply() if any(change.before is not None for change in changes) else None)


def apply_update(folder: LessonFolder, plan: UpdatePlan, now: datetime) -> str | None:
    """Puts a plan's files in place; returns where the copy of what was there before lies, if anything was changed."""
    replaced_contents = {change.name: change.before for change in plan.changes if change.before is not None}
    backup_path = folder.back_up(replaced_contents, now) if replaced_contents else None
    for change in plan.changes:
        if change.after is None:
            folder.remove(change.name)
        else:
            folder.write(change.name, change.after)
    return backup_path


def _restore_missing_files(folder: LessonFolder, release: VerifiedRelease) -> tuple[FileChange, ...]:
    """Files of a release that are no longer there; whatever is there is the student's and stays."""
    missing = ((name, content) for name, content in release.files.items() if folder.read(name) is None)
    return tuple(FileChange(name, None, content) for name, content in missing)


@dataclass
class _ReleaseMerge:
    """Merges each file of a newer release, and gathers what was done."""

    folder: LessonFolder
    current: VerifiedRelease
    base: VerifiedRelease | None
    reports: list[MergeReport] = field(default_factory=list)

    def iter_changes(self) -> Iterator[FileChange]:
        base_files = self.base.files if self.base else {}
        for name in dict.fromkeys([*self.current.files, *base_files]):
            mine = self.folder.read(name)
            for change in self._merge_file(name, base_files.get(name), mine, self.current.files.get(name)):
                if change.before != change.after:
                    yield change

    def _merge_file(
        self, name: str, base: bytes | None, mine: bytes | None, theirs: bytes | None
    ) -> Iterator[FileChange]:
        if name.endswith(".ipynb") and mine is not None and theirs is not None:
            yield FileChange(name, mine, self._merge_notebook(name, base, mine, theirs))
            return
        merged_file = merge_file(base, mine, theirs)
        yield FileChange(name, mine, merged_file.content)
        if merged_file.release_copy is not None:
            self.reports.append(MergeReport(conflicts=(name,)))
            yield from self._add_beside(name, merged_file.release_copy)

    def _merge_notebook(self, name: str, base: bytes | None, mine: bytes, theirs: bytes) -> bytes:
        try:
            merge = merge_notebook(base, mine, theirs)
        except InvalidNotebook as error:
            raise InvalidNotebook(
                f"{name} cannot be brought up to date, because it is not a notebook any more.",
                advice=f"Rename {self.folder.server_path}/{name} to keep it, then open the lesson again; a fresh one takes its place.",
            ) from error
        self.reports.append(merge.report)
        return merge.notebook

    def _add_beside(self, name: str, content: bytes) -> Iterator[FileChange]:
        """The release's version under the next free name, unless an opening that was killed has put it there already."""
        used_names = set(self.current.files)
        while (free_name := choose_copy_name(name, used_names)) is not None:
            existing = self.folder.read(free_name)
            if existing is None:
                yield FileChange(free_name, None, content)
            if existing is None or existing == content:
                return
            used_names.add(free_name)

    def merge_reply(self) -> MergeReply:
        """All reports as one."""
        return MergeReply(
            updated=tuple(cell for report in self.reports for cell in report.updated),
            added=tuple(cell for report in self.reports for cell in report.added),
            removed=tuple(cell for report in self.reports for cell in report.removed),
            kept=tuple(cell for report in self.reports for cell in report.kept),
            conflicts=tuple(cell for report in self.reports for cell in report.conflicts),
        )
