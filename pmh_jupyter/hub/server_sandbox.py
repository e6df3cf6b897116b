"""The sandbox of one user's server, built with bubblewrap. Only listed paths are visible in it.

A server sees its own home, the system's programs and its Python environment (read-only), a private /tmp and /dev/shm, and its own
processes. It shares the machine's network, because the proxy must reach the server, and the server must reach the Hub and the service.
Every part of a hub that listens there requires a token.

If the hub runs as root, each server runs under its own uid; otherwise in its own user namespace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pmh_jupyter.bubblewrap import SYSTEM_FOLDERS, find_bwrap
from pmh_jupyter.hub.server_files import ServerFiles

# The entries of /etc that programs need to resolve names, show fonts and times, and verify certificates. None of them holds passwords
# or settings of system services.
ETC_NAMES = (
    "alternatives", "bash.bashrc", "ca-certificates", "ca-certificates.conf", "fonts", "gai.conf", "host.conf", "hosts", "inputrc",
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "localtime", "mime.types", "nsswitch.conf", "pki", "profile",
    "protocols", "resolv.conf", "services", "ssl", "terminfo", "timezone",
)  # fmt: skip

PROBE_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class ServerLimits:
    """Limits of one server. `memory_mb`: MiB that each process may write to. `max_processes`: processes and threads in total."""

    memory_mb: int
    max_processes: int


@dataclass(frozen=True)
class ServerOwner:
    """The owner of a server: name and uid inside the sandbox, and the path of the home outside."""

    name: str
    uid: int
    host_home: Path


def find_sandbox_problem() -> str | None:
    """Return why this machine cannot build the sandbox, as a sentence, or None. Builds one as a test, in about 20 ms."""
    bwrap = find_bwrap()
    if bwrap is None:
        return "bubblewrap is not installed."
    missing_tools = [tool for tool in ("setpriv", "prlimit") if not shutil.which(tool, path="/usr/bin:/bin")]
    if missing_tools:
        return f"{' and '.join(missing_tools)} (util-linux) cannot be found in /usr/bin."
    owner = ServerOwner("nobody", _choose_probe_uid(), Path("/nonexistent"))
    command = [
        *_build_bwrap_command(bwrap),
        *_build_mount_arguments(_list_system_mounts()),
        *_build_limit_command(owner.uid, ServerLimits(1024, 64)),
        "/bin/true",
    ]
    try:
        completed = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_TIMEOUT_SECONDS, env={})
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be run: {error}."
    return None if completed.returncode == 0 else f"bubblewrap cannot create a sandbox: {completed.stderr.strip()}"


class SandboxCommand(NamedTuple):
    """A command, and the file descriptors that its process must inherit."""

    argv: list[str]
    descriptors: list[int]


def find_home_in_sandbox(owner: ServerOwner, files: ServerFiles) -> str:
    """Return the path of the home inside the sandbox. It never overlaps a folder that the server needs."""
    home = f"/home/{owner.name}"
    return f"{home}.home" if any(path.is_relative_to(home) for path in files.readable) else home


def build_sandbox_command(
    command: list[str], owner: ServerOwner, files: ServerFiles, limits: ServerLimits, open_files: ExitStack
) -> SandboxCommand:
    """Return the command that runs `command` in a sandbox. `open_files` closes its descriptors.

    Raises FileNotFoundError if there is no bubblewrap.
    """
    bwrap = find_bwrap()
    if bwrap is None:
        raise FileNotFoundError("bwrap")
    home = find_home_in_sandbox(owner, files)
    passwd_descriptor = _create_memory_file(
        f"root:x:0:0::/root:/bin/sh\n{owner.name}:x:{owner.uid}:{owner.uid}::{home}:/bin/bash\n", open_files
    )
    group_descriptor = _create_memory_file(f"root:x:0:\n{owner.name}:x:{owner.uid}:\n", open_files)
    mounts = [
        *_list_system_mounts(),
        *(("--ro-bind", str(path), str(path)) for path in files.readable),
        *(("--tmpfs", str(path)) for path in files.hidden),
        *_list_scratch_mounts(limits),
        ("--perms", "0644", "--ro-bind-data", str(passwd_descriptor), "/etc/passwd"),
        ("--perms", "0644", "--ro-bind-data", str(group_descriptor), "/etc/group"),
        ("--bind", str(owner.host_home), home),
    ]
    # Changes to the home after setpriv, as its owner: bubblewrap's root has no capability to enter other users' folders.
    chdir_command = ["/usr/bin/env", f"--chdir={home}"]
    argv = [
        *_build_bwrap_command(bwrap),
        *_build_mount_arguments(mounts),
        "--remount-ro",
        "/",
        *_build_limit_command(owner.uid, limits),
        *chdir_command,
        *command,
    ]
    return SandboxCommand(argv, [passwd_descriptor, group_descriptor])


def _build_bwrap_command(bwrap: Path) -> list[str]:
    """Return the command that creates the namespaces. Root needs no user namespace, only setpriv's capabilities."""
    options = [str(bwrap), "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    options += ["--unshare-cgroup-try", "--hostname", "pmh", "--cap-drop", "ALL"]
    if os.geteuid() == 0:
        return [*options, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    return [*options, "--unshare-user", "--disable-userns"]


def _build_limit_command(uid: int, limits: ServerLimits) -> list[str]:
    """Return the command that sets the limits, then the uid. RLIMIT_NPROC counts the processes of the uid; root has no such limit."""
    command = [
        "/usr/bin/prlimit",
        f"--nproc={limits.max_processes}",
        f"--data={limits.memory_mb << 20}",
        "--core=0",
        "--",
    ]
    command += ["/usr/bin/setpriv", "--no-new-privs"]
    if os.geteuid() == 0:
        command += [f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    return [*command, "--"]


def _list_system_mounts() -> list[tuple[str, ...]]:
    mounts: list[tuple[str, ...]] = []
    for path in map(Path, SYSTEM_FOLDERS):
        if path.is_symlink():
            mounts.append(("--symlink", str(path.readlink()), str(path)))
        elif path.exists():
            mounts.append(("--ro-bind", str(path), str(path)))
    mounts += [("--ro-bind-try", f"/etc/{name}", f"/etc/{name}") for name in ETC_NAMES]
    return [*mounts, ("--proc", "/proc"), ("--dev", "/dev")]


def _list_scratch_mounts(limits: ServerLimits) -> list[tuple[str, ...]]:
    """Return the mounts of writable folders that end with the server. multiprocessing needs /dev/shm. Both use memory: they are limited."""
    size = str(limits.memory_mb << 20)
    return [("--perms", "1777", "--size", size, "--tmpfs", path) for path in ("/tmp", "/dev/shm")]


def _build_mount_arguments(mounts: Iterable[tuple[str, ...]]) -> list[str]:
    """Sort mounts by depth, so that a deeper mount wins, and create parent folders that every uid may traverse."""
    mounted: set[str] = set()
    arguments: list[str] = []
    for mount in sorted(mounts, key=lambda mount: len(Path(mount[-1]).parts)):
        for parent in reversed(Path(mount[-1]).parents[:-1]):
            if str(parent) not in mounted:
                arguments += ["--perms", "0755", "--dir", str(parent)]
                mounted.add(str(parent))
        arguments += mount
        mounted.add(mount[-1])
    return arguments


def _create_memory_file(text: str, open_files: ExitStack) -> int:
    descriptor = os.memfd_create("pmh-sandbox")
    open_files.callback(os.close, descriptor)
    os.write(descriptor, text.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _choose_probe_uid() -> int:
    return os.getuid() or 65534
