"""Where control groups may be created, by the files of a made-up machine."""

from __future__ import annotations

import os
from pathlib import Path

from pmh_jupyter.grading.backends.control_group_hierarchies import Hierarchy, find_hierarchies

ALL = "cpuset cpu io memory pids"


def _make_machine(folder: Path, memberships: str, mounts: dict[str, str]) -> Path:
    """Write /proc/self of a process. `mounts`: the end of each line of mountinfo, by the name of its folder."""
    process = folder / "proc"
    process.mkdir()
    (process / "cgroup").write_text(memberships)
    lines = [f"31 23 0:28 / {folder / name} rw,relatime - {rest}\n" for name, rest in mounts.items()]
    (process / "mountinfo").write_text("".join(["22 1 0:1 / / rw - ext4 /dev/vda rw\n", *lines]))
    return process


def _make_unified(folder: Path, group: str, *, has_delegation: str = "", is_namespaced: bool = False) -> Path:
    """Create cgroup v2 with one group. `has_delegation`: the group that systemd has delegated."""
    mount = folder / "unified"
    for path in (mount, *(mount / part for part in (group, os.path.dirname(group)) if part)):
        path.mkdir(parents=True, exist_ok=True)
        (path / "cgroup.controllers").write_text(ALL)
        (path / "cgroup.subtree_control").write_text("")
        if path != mount or is_namespaced:
            (path / "cgroup.type").write_text("domain")
    if has_delegation:
        os.setxattr(mount / has_delegation, "user.delegate", b"1")
    return _make_machine(folder, f"0::/{group}\n", {"unified": "cgroup2 cgroup2 rw,nsdelegate"})


def test_v1_has_a_folder_for_each_controller_below_the_own_group(tmp_path: Path) -> None:
    for name in ("cpu,cpuacct/own", "memory/own/deeper", "pids", "devices"):
        (tmp_path / name).mkdir(parents=True)
    memberships = "8:pids:/\n5:devices:/\n4:memory:/own/deeper\n1:cpu,cpuacct:/own\n0::/\n"
    mounts = {name: f"cgroup cgroup rw,{name}" for name in ("cpu,cpuacct", "memory", "pids", "devices")}
    assert find_hierarchies(_make_machine(tmp_path, memberships, mounts)) == [
        Hierarchy(tmp_path / "pids" / ".", ("pids",), False),
        Hierarchy(tmp_path / "memory/own/deeper", ("memory",), False),
        Hierarchy(tmp_path / "cpu,cpuacct/own", ("cpu",), False),
    ]


def test_v2_takes_the_delegated_group_above_the_own(tmp_path: Path) -> None:
    process = _make_unified(tmp_path, "hub.service/hub", has_delegation="hub.service")
    delegated = tmp_path / "unified/hub.service"
    assert find_hierarchies(process) == [Hierarchy(delegated, ("cpu", "memory", "pids"), True)]


def test_v2_without_delegation_is_left_to_systemd(tmp_path: Path) -> None:
    assert find_hierarchies(_make_unified(tmp_path, "user.slice/session.scope")) == []


def test_v2_takes_the_root_of_a_container(tmp_path: Path) -> None:
    process = _make_unified(tmp_path, "hub", is_namespaced=True)
    assert [hierarchy.parent for hierarchy in find_hierarchies(process)] == [tmp_path / "unified"]


def test_v2_without_other_groups_takes_the_root_of_the_machine(tmp_path: Path) -> None:
    assert [hierarchy.is_unified for hierarchy in find_hierarchies(_make_unified(tmp_path, ""))] == [True]


def test_mount_that_does_not_show_the_own_group_is_skipped(tmp_path: Path) -> None:
    process = _make_machine(tmp_path, "0::/../outside\n", {"": "cgroup2 cgroup2 rw"})
    assert find_hierarchies(process) == []


def test_kernel_without_control_groups_has_none(tmp_path: Path) -> None:
    assert find_hierarchies(tmp_path / "nothing") == []
    assert find_hierarchies(_make_machine(tmp_path, "", {})) == []
