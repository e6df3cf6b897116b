"""Finds where this process may create control groups (cgroups): below its own group with v1, below a delegated group with v2.

Formats: cgroups(7), proc_pid_mountinfo(5). systemd marks a group that it has delegated with an extended attribute
(https://systemd.io/CGROUP_DELEGATION). A group that is not delegated belongs to systemd, and is left alone even by root.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CONTROLLERS = ("cpu", "memory", "pids")
DELEGATION_ATTRIBUTES = ("user.delegate", "trusted.delegate")


@dataclass(frozen=True)
class Hierarchy:
    """A group in which groups can be created, and the controllers that limit them. `is_unified`: cgroup v2."""

    parent: Path
    controllers: tuple[str, ...]
    is_unified: bool


@dataclass(frozen=True)
class Mount:
    """A mounted hierarchy. `root`: which of its groups is at `folder`. `controllers`: of v1."""

    root: str
    folder: Path
    is_unified: bool
    controllers: frozenset[str]


def find_hierarchies(process_folder: Path = Path("/proc/self")) -> list[Hierarchy]:
    """Return the hierarchies in which this process may create groups. `process_folder`: for tests."""
    try:
        mounts = list(_read_mounts((process_folder / "mountinfo").read_text()))
        memberships = filter(None, (process_folder / "cgroup").read_text().split("\n"))
    except OSError:
        return []
    hierarchies = []
    for line in memberships:
        _, names, group = line.split(":", 2)
        wanted = tuple(name for name in CONTROLLERS if name in names.split(","))
        if names and not wanted:
            continue
        for mount in mounts:
            own_group = _locate_group(mount, group)
            is_searched = mount.is_unified if not names else bool(mount.controllers.intersection(wanted))
            if is_searched and own_group:
                hierarchy = Hierarchy(own_group, wanted, False) if names else _find_delegated(mount.folder, own_group)
                if hierarchy and os.access(hierarchy.parent, os.W_OK):
                    hierarchies.append(hierarchy)
                break
    return hierarchies


def _read_mounts(mountinfo: str) -> Iterator[Mount]:
    for line in filter(None, mountinfo.split("\n")):
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            root, folder = (word.replace("\\040", " ") for word in left.split(" ")[3:5])
            controllers = options.rpartition(" ")[2].split(",") if kind == "cgroup" else ()
            yield Mount(root, Path(folder), kind == "cgroup2", frozenset(controllers))


def _locate_group(mount: Mount, group: str) -> Path | None:
    """Return the folder of a group, or None if the mount does not show it."""
    relative = os.path.relpath(group, mount.root)
    folder = mount.folder / relative
    return folder if not relative.startswith("..") and folder.is_dir() else None


def _find_delegated(mount_folder: Path, own_group: Path) -> Hierarchy | None:
    """Return the nearest group of v2, from that of this process upwards, in which controllers can be enabled for new groups."""
    for group in (own_group, *own_group.parents):
        if _may_divide(group, own_group, mount_folder):
            controllers = tuple(_enable_controllers(group))
            if controllers:
                return Hierarchy(group, controllers, True)
        if group == mount_folder:
            break
    return None


def _may_divide(group: Path, own_group: Path, mount_folder: Path) -> bool:
    is_root_of_machine = group == mount_folder and not (group / "cgroup.type").exists()
    if is_root_of_machine:
        # Nobody else manages groups there: systemd would have moved this process out of the root.
        return own_group == group
    return group == mount_folder or any(_has_attribute(group, name) for name in DELEGATION_ATTRIBUTES)


def _has_attribute(group: Path, name: str) -> bool:
    try:
        return os.getxattr(group, name) == b"1"
    except OSError:
        return False


def _enable_controllers(group: Path) -> Iterator[str]:
    """Enable the controllers for the groups in `group`. The kernel refuses this as long as processes are in `group` itself."""
    with suppress(OSError):
        available = (group / "cgroup.controllers").read_text().split()
        for controller in CONTROLLERS:
            if controller in available:
                with suppress(OSError):
                    (group / "cgroup.subtree_control").write_text(f"+{controller}")
                    yield controller
