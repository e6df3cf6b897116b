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
from pmh_jupyter.domain.merge_files import merge_file, name_beside
from pmh_jupyter.errors import BadInput, InvalidNotebook
from pmh_jupyter.server_extension.folder import LessonFolder, check_name
from pmh_jupyter.wire.lab import MergeReply
from pmh_jupyter.wire.work import StudentRelease


@dataclass(frozen=True)
class Delivered:
    """A release as it arrived, verified: content by path."""

    id: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class Change:
    """One file to change. `before` None: it is not there now. `after` None: it goes."""

    name: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True)
class Plan:
    """What an opening will do. `merged` is None where no update came."""

    changes: tuple[Change, ...] = ()
    merged: MergeReply | None = None
    postponed: bool = False


def verify(release: StudentRelease) -> Delivered:
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
    return Delivered(release.id, files)


def plan_opening(
    folder: LessonFolder, current: Delivered, base: Delivered | None, unsaved: frozenset[str] = frozenset()
) -> Plan:
    """Decides what to do with each file. `unsaved` are server paths of notebooks that must not be changed now.

    The same release again only brings back what is missing. Raises InvalidNotebook where the student's cannot be merged.
    """
    if base is not None and base.id == current.id:
        return Plan(_missing(folder, current))
    merging = _Merging(folder, current, base)
    changes = tuple(merging.changes())
    if any(f"{folder.server_path}/{change.name}" in unsaved for change in changes if change.before is not None):
        # All or nothing: half of an update would leave notebooks and data of different releases side by side.
        return Plan(_missing(folder, base) if base else (), postponed=True)
    return Plan(changes, merging.reply() if any(change.before is not None for change in changes) else None)


def carry_out(folder: LessonFolder, plan: Plan, now: datetime) -> str | None:
    """Puts a plan's files in place; returns where the copy of what was there before lies, if anything was changed."""
    replaced = {change.name: change.before for change in plan.changes if change.before is not None}
    copy = folder.copy_aside(replaced, now) if replaced else None
    for change in plan.changes:
        if change.after is None:
            folder.remove(change.name)
        else:
            folder.write(change.name, change.after)
    return copy


def _missing(folder: LessonFolder, release: Delivered) -> tuple[Change, ...]:
    """Files of a release that are no longer there; whatever is there is the student's and stays."""
    missing = ((name, content) for name, content in release.files.items() if folder.read(name) is None)
    return tuple(Change(name, None, content) for name, content in missing)


@dataclass
class _Merging:
    """Merges each file of a newer release, and gathers what was done."""

    folder: LessonFolder
    current: Delivered
    base: Delivered | None
    reports: list[MergeReport] = field(default_factory=list)

    def changes(self) -> Iterator[Change]:
        base = self.base.files if self.base else {}
        for name in dict.fromkeys([*self.current.files, *base]):
            mine = self.folder.read(name)
            for change in self._of_file(name, base.get(name), mine, self.current.files.get(name)):
                if change.before != change.after:
                    yield change

    def _of_file(self, name: str, base: bytes | None, mine: bytes | None, theirs: bytes | None) -> Iterator[Change]:
        if name.endswith(".ipynb") and mine is not None and theirs is not None:
            yield Change(name, mine, self._merged(name, base, mine, theirs))
            return
        file = merge_file(base, mine, theirs)
        yield Change(name, mine, file.content)
        if file.beside is not None:
            self.reports.append(MergeReport(conflicts=(name,)))
            yield from self._beside(name, file.beside)

    def _merged(self, name: str, base: bytes | None, mine: bytes, theirs: bytes) -> bytes:
        try:
            merged = merge_notebook(base, mine, theirs)
        except InvalidNotebook as error:
            raise InvalidNotebook(
                f"{name} cannot be brought up to date, because it is not a notebook any more.",
                advice=f"Rename {self.folder.server_path}/{name} to keep it, then open the lesson again; a fresh one takes its place.",
            ) from error
        self.reports.append(merged.report)
        return merged.notebook

    def _beside(self, name: str, content: bytes) -> Iterator[Change]:
        """The release's version under the next free name, unless an opening that was killed has put it there already."""
        taken = set(self.current.files)
        while (free := name_beside(name, taken)) is not None:
            there = self.folder.read(free)
            if there is None:
                yield Change(free, None, content)
            if there is None or there == content:
                return
            taken.add(free)

    def reply(self) -> MergeReply:
        """All reports as one."""
        return MergeReply(
            updated=tuple(cell for report in self.reports for cell in report.updated),
            added=tuple(cell for report in self.reports for cell in report.added),
            removed=tuple(cell for report in self.reports for cell in report.removed),
            kept=tuple(cell for report in self.reports for cell in report.kept),
            conflicts=tuple(cell for report in self.reports for cell in report.conflicts),
        )
