"""Updates a lesson's folder to a release without losing the student's changes.

Steps: verify the release, plan the changes (writes nothing), back up the files that will change, write each file.
If the server is killed at any point, the next opening repeats the steps from the same base. Repeating a merge changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pmh_jupyter.domain.merge import MergeReport, merge_notebook
from pmh_jupyter.domain.merge_files import choose_copy_name, merge_file
from pmh_jupyter.errors import InvalidNotebook
from pmh_jupyter.server_extension.lesson_folder import LessonFolder, require_safe_name
from pmh_jupyter.wire.files import decode_file
from pmh_jupyter.wire.lab import MergeReply
from pmh_jupyter.wire.submission import StudentRelease


@dataclass(frozen=True)
class VerifiedRelease:
    """A release whose hashes and paths have been verified. `files` maps paths to contents."""

    id: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class LessonFileChange:
    """A change of one file. `before` is None for a file to be created, `after` for one to be deleted."""

    name: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class UpdatePlan:
    """The changes that opening the lesson will make. `merge_reply` is None unless existing files are updated."""

    changes: tuple[LessonFileChange, ...] = ()
    merge_reply: MergeReply | None = None
    is_update_postponed: bool = False


def verify_release(release: StudentRelease) -> VerifiedRelease:
    """Decode a release. Raises BadInput, which names the file, for a wrong hash or an unsafe path."""
    return VerifiedRelease(
        release.id, {require_safe_name(file.path): decode_file(file).content for file in release.files}
    )


def plan_update(
    folder: LessonFolder,
    current: VerifiedRelease,
    base: VerifiedRelease | None,
    unsaved_notebooks: frozenset[str] = frozenset(),
) -> UpdatePlan:
    """Plan the update of a folder from `base`, the release that was opened last, to `current`.

    If both are the same release, only missing files are restored.
    unsaved_notebooks: paths, relative to the server's root, of notebooks with unsaved changes in the browser.
    Raises InvalidNotebook if a notebook of the student cannot be merged.
    """
    if base is not None and base.id == current.id:
        return UpdatePlan(_restore_missing_files(folder, current))
    merge = _ReleaseMerge(folder, current, base)
    changes = tuple(merge.iter_changes())
    if any(
        f"{folder.server_path}/{change.name}" in unsaved_notebooks for change in changes if change.before is not None
    ):
        # All or nothing: a partial update would mix notebooks and data of different releases.
        return UpdatePlan(_restore_missing_files(folder, base) if base else (), is_update_postponed=True)
    return UpdatePlan(
        changes, merge.build_merge_reply() if any(change.before is not None for change in changes) else None
    )


def apply_update(folder: LessonFolder, plan: UpdatePlan, now: datetime) -> str | None:
    """Carry out a plan. Returns the path of the backup, relative to the server's root; None if no existing file changes."""
    replaced_contents = {change.name: change.before for change in plan.changes if change.before is not None}
    backup_path = folder.back_up(replaced_contents, now) if replaced_contents else None
    for change in plan.changes:
        if change.after is None:
            folder.remove(change.name)
        else:
            folder.write(change.name, change.after)
    return backup_path


def _restore_missing_files(folder: LessonFolder, release: VerifiedRelease) -> tuple[LessonFileChange, ...]:
    """Restore files of a release that are missing. Existing files belong to the student and stay unchanged."""
    missing_files = ((name, content) for name, content in release.files.items() if folder.read(name) is None)
    return tuple(LessonFileChange(name, None, content) for name, content in missing_files)


@dataclass
class _ReleaseMerge:
    """Merges each file of a newer release and collects the reports."""

    folder: LessonFolder
    current: VerifiedRelease
    base: VerifiedRelease | None
    reports: list[MergeReport] = field(default_factory=list)

    def iter_changes(self) -> Iterator[LessonFileChange]:
        base_files = self.base.files if self.base else {}
        for name in dict.fromkeys([*self.current.files, *base_files]):
            mine = self.folder.read(name)
            for change in self._merge_file(name, base_files.get(name), mine, self.current.files.get(name)):
                if change.before != change.after:
                    yield change

    def _merge_file(
        self, name: str, base: bytes | None, mine: bytes | None, theirs: bytes | None
    ) -> Iterator[LessonFileChange]:
        if name.endswith(".ipynb") and mine is not None and theirs is not None:
            yield LessonFileChange(name, mine, self._merge_notebook(name, base, mine, theirs))
            return
        merged_file = merge_file(base, mine, theirs)
        yield LessonFileChange(name, mine, merged_file.content)
        if merged_file.release_copy is not None:
            self.reports.append(MergeReport(conflicts=(name,)))
            yield from self._add_release_copy(name, merged_file.release_copy)

    def _merge_notebook(self, name: str, base: bytes | None, mine: bytes, theirs: bytes) -> bytes:
        try:
            merge = merge_notebook(base, mine, theirs)
        except InvalidNotebook as error:
            raise InvalidNotebook(
                f"{name} cannot be updated, because it is no longer a valid notebook.",
                advice=f"Rename {self.folder.server_path}/{name}, then open the lesson again to get a new copy.",
            ) from error
        self.reports.append(merge.report)
        return merge.notebook

    def _add_release_copy(self, name: str, content: bytes) -> Iterator[LessonFileChange]:
        """Add the release's version under the next free name, unless an interrupted update has already added it."""
        used_names = set(self.current.files)
        while (free_name := choose_copy_name(name, used_names)) is not None:
            existing = self.folder.read(free_name)
            if existing is None:
                yield LessonFileChange(free_name, None, content)
            if existing is None or existing == content:
                return
            used_names.add(free_name)

    def build_merge_reply(self) -> MergeReply:
        """Return the combined reports."""
        return MergeReply(
            updated=tuple(cell for report in self.reports for cell in report.updated),
            added=tuple(cell for report in self.reports for cell in report.added),
            removed=tuple(cell for report in self.reports for cell in report.removed),
            kept=tuple(cell for report in self.reports for cell in report.kept),
            conflicts=tuple(cell for report in self.reports for cell in report.conflicts),
        )
