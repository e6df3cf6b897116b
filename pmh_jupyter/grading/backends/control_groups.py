"""Control groups (cgroups) of gradings, one for each. The kernel limits a group to one core, and limits its memory and processes.

Each backend has one folder for its groups in each hierarchy. With cgroup v2 there is one hierarchy, with v1 one for each controller. A
controller is left out if this process may not use any of its folders. The process that created a folder holds a lock on it as long as it
runs. Other processes remove folders without this lock, so folders of a killed process are removed when the next process starts.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.grading.backends.control_group_hierarchies import CONTROLLERS as ALL_CONTROLLERS
from pmh_jupyter.grading.backends.control_group_hierarchies import Hierarchy, find_hierarchies
from pmh_jupyter.grading.runtime.sandbox.control_group import EVENTS, JOIN, MEMORY, PROCESSES, ControlGroup

__all__ = ["ALL_CONTROLLERS", "ControlGroups", "remove_abandoned_folders"]
log = logging.getLogger(__name__)
FOLDER_PREFIX = "pmh-gradings-"
PERIOD_MICROSECONDS = 100_000
# Gradings of a service per core (see `worker_allocation`). All groups together weigh as much as this number of processes outside of them.
GRADINGS_PER_CORE = 2
MAX_WEIGHT_FACTOR = 100
MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class ControllerFiles:
    """Files of a controller in a group. `constants`: contents that the host writes. `handed_over`: purposes and files for the sandbox."""

    constants: tuple[tuple[str, str], ...] = ()
    handed_over: tuple[tuple[str, str], ...] = ()


V1_FILES = {
    "cpu": ControllerFiles(
        (("cpu.cfs_period_us", str(PERIOD_MICROSECONDS)), ("cpu.cfs_quota_us", str(PERIOD_MICROSECONDS)))
    ),
    # In this order: memory with swap cannot be limited below memory alone.
    "memory": ControllerFiles(
        (),
        (
            (MEMORY, "memory.limit_in_bytes"),
            (MEMORY, "memory.memsw.limit_in_bytes"),
            (MEMORY, "memory.kmem.tcp.limit_in_bytes"),
            (EVENTS, "memory.oom_control"),
        ),
    ),
    "pids": ControllerFiles((), ((PROCESSES, "pids.max"),)),
}
V2_FILES = {
    "cpu": ControllerFiles((("cpu.max", f"{PERIOD_MICROSECONDS} {PERIOD_MICROSECONDS}"),)),
    "memory": ControllerFiles((("memory.swap.max", "0"),), ((MEMORY, "memory.max"), (EVENTS, "memory.events"))),
    "pids": ControllerFiles((), ((PROCESSES, "pids.max"),)),
}


class ControlGroups:
    """Creates and removes the groups of one backend's gradings. Its folders are created when they are first needed.

    A group without processes is used again, so that a grading need not wait until its files are created and opened.
    Safe to use from several threads. find: returns the hierarchies to use.
    """

    def __init__(self, find: Callable[[], Sequence[Hierarchy]] = find_hierarchies) -> None:
        self._find, self._lock = find, threading.Lock()
        self._owned: _OwnedGroups | None = None

    @property
    def controllers(self) -> list[str]:
        """The controllers in force: any of "cpu", "memory" and "pids"."""
        folders = self._get_owned().folders
        return sorted(itertools.chain.from_iterable(folder.hierarchy.controllers for folder in folders))

    @contextmanager
    def reserve_group(self) -> Iterator[ControlGroup]:
        """Reserve a group for one grading, whose processes must have ended when the context ends.

        If none can be created, the group has no files, and the grading runs without one.
        """
        owned = self._get_owned()
        with self._lock:
            name, group = owned.unused.pop() if owned.unused else owned.create()
        try:
            yield group
        finally:
            with self._lock:
                if owned is self._owned and owned.is_empty(name):
                    owned.unused.append((name, group))
                else:
                    group.close()

    def disable(self) -> None:
        """Grade without groups from now on."""
        self.close()
        self._find = lambda: ()

    def close(self) -> None:
        """Remove all folders. A later grading creates new ones."""
        with self._lock:
            owned, self._owned = self._owned, None
            # A process that was forked from the owner must not remove the owner's folders.
            if owned and owned.pid == os.getpid():
                owned.close()

    def _get_owned(self) -> _OwnedGroups:
        with self._lock:
            if self._owned is None or self._owned.pid != os.getpid():
                self._owned = _OwnedGroups(self._find())
            return self._owned


class _OwnedGroups:
    """The folders of one process, and the groups in them that no grading uses. Not safe to use from several threads."""

    def __init__(self, hierarchies: Sequence[Hierarchy]) -> None:
        self.pid = os.getpid()
        self.folders: list[_GroupFolder] = []
        self.unused: list[tuple[str, ControlGroup]] = []
        self._numbers = itertools.count(1)
        for hierarchy in hierarchies:
            with _log_errors(hierarchy.parent):
                remove_abandoned_folders(hierarchy.parent)
                self.folders.append(_create_folder(hierarchy))

    def create(self) -> tuple[str, ControlGroup]:
        name, group = str(next(self._numbers)), ControlGroup()
        for folder in self.folders:
            with _log_errors(folder.path):
                group = ControlGroup((*group.files, *folder.create(name)))
        return name, group

    def is_empty(self, name: str) -> bool:
        """Return whether a group exists in all folders, without processes."""
        try:
            return not any((folder.path / name / "cgroup.procs").read_text() for folder in self.folders)
        except OSError:
            return False

    def close(self) -> None:
        for _, group in self.unused:
            group.close()
        for folder in self.folders:
            folder.close()


@contextmanager
def _log_errors(folder: Path) -> Iterator[None]:
    """Continue after an OSError: gradings then run without these groups."""
    try:
        yield
    except OSError as error:
        log.warning("no control group in %s: %s", folder, error)


class _GroupFolder:
    """The folder of one backend in one hierarchy. Raises OSError if it cannot be created."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.files = V2_FILES if hierarchy.is_unified else V1_FILES
        self.path = hierarchy.parent / f"{FOLDER_PREFIX}{os.urandom(16).hex()}"
        self.path.mkdir()
        self.lock = -1
        try:
            self.lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._prepare()
            # Fails here rather than in a grading if the kernel offers less than expected.
            ControlGroup(tuple(self.create("trial"))).close()
            os.rmdir(self.path / "trial")
        except OSError:
            self.close()
            raise

    def _prepare(self) -> None:
        if self.hierarchy.is_unified:
            for controller in self.hierarchy.controllers:
                _write_file(f"{self.path}/cgroup.subtree_control", f"+{controller}")
        if "cpu" in self.hierarchy.controllers:
            factor = min(GRADINGS_PER_CORE * (os.cpu_count() or 1), MAX_WEIGHT_FACTOR)
            name, weight = ("cpu.weight", 100) if self.hierarchy.is_unified else ("cpu.shares", 1024)
            _write_file(f"{self.path}/{name}", str(weight * factor))

    def create(self, name: str) -> list[tuple[str, int]]:
        """Create a group. Returns its open files and what each is for. A file that the kernel does not offer is left out."""
        group = f"{self.path}/{name}"
        os.mkdir(group)
        files: list[tuple[str, int]] = []
        try:
            for controller in self.hierarchy.controllers:
                for file_name, content in self.files[controller].constants:
                    with suppress(FileNotFoundError):
                        _write_file(f"{group}/{file_name}", content)
                for purpose, file_name in self.files[controller].handed_over:
                    with suppress(FileNotFoundError):
                        flags = os.O_RDONLY if purpose == EVENTS else os.O_WRONLY
                        files.append((purpose, os.open(f"{group}/{file_name}", flags)))
            # With v1, moving one thread takes microseconds, and moving a process as long as an RCU grace period.
            file_name = "cgroup.procs" if self.hierarchy.is_unified else "tasks"
            files.append((JOIN, os.open(f"{group}/{file_name}", os.O_WRONLY)))
        except OSError:
            ControlGroup(tuple(files)).close()
            os.rmdir(group)
            raise
        return files

    def close(self) -> None:
        """Remove the folder with all groups in it."""
        _remove_folder(self.path)
        if self.lock >= 0:
            os.close(self.lock)


def _create_folder(hierarchy: Hierarchy) -> _GroupFolder:
    """Create a folder. Another process may remove it before it is locked; then another one is created."""
    for _ in range(MAX_ATTEMPTS - 1):
        with suppress(BlockingIOError, FileNotFoundError):
            return _GroupFolder(hierarchy)
    return _GroupFolder(hierarchy)


def _write_file(path: str, content: str) -> None:
    """Write to an existing file of the kernel."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, content.encode())
    finally:
        os.close(descriptor)


def remove_abandoned_folders(parent: Path) -> None:
    """Remove folders in `parent` whose owner has ended, which therefore have no lock."""
    for folder in parent.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_folder(folder)
            finally:
                os.close(descriptor)


def _remove_folder(folder: Path) -> None:
    """Remove a folder of groups. If a process still runs in a group, the group and the folder are left for the next host to remove."""
    with suppress(OSError):
        for group in [*folder.iterdir(), folder]:
            if group.is_dir():
                with suppress(OSError):
                    group.rmdir()
