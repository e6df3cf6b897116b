"""The container of one submission: creates, uses and removes it."""

from __future__ import annotations

import os
import select
import shutil
import socket
import tempfile
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.errors import DockerException, NotFound
from docker.models.containers import Container as DockerContainer
from docker.types import Mount, Ulimit

from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.errors import NoSandbox
from pmh_jupyter.grading.backends.backend import (
    PACKAGE_FOLDER,
    SANDBOX_PACKAGES,
    START_TIMEOUT_SECONDS,
    STDERR_TAIL_BYTES,
    JudgeRun,
    build_python_command,
    build_sandbox_environment,
)
from pmh_jupyter.grading.backends.fork_servers import request_grading
from pmh_jupyter.grading.runtime.sandbox.namespaces import JUDGE_HOMES, STUDENT_HOME

OWNER_LABEL = "pmh-grader"
PACKAGE_MOUNT, CONTROL_MOUNT = "/pmh", "/pmh-control"
# Standard error goes to the host, so that errors before the fork server's start are reported. Writing to it never blocks.
CONNECT_CODE = f"""\
import os, socket
def connect_to_host():
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect('{CONTROL_MOUNT}/socket')
    return connection.detach()
errors = connect_to_host()
os.set_blocking(errors, False)
os.dup2(errors, 2)
os.close(errors)
"""
# The fork server switches between the users of judge and student, and watches and ends processes. Processes that run cells lack these.
CAPABILITIES = ["SETUID", "SETGID", "SETPCAP", "KILL", "SYS_PTRACE"]
# Memory of the fork server, the judge and their files, beyond the submission's limit.
OVERHEAD_BYTES = 512 << 20
MAX_PROCESSES = 256
CPU_LIMIT = 1.0
MAX_OPEN_FILES = 20_000
REMOVE_TIMEOUT_SECONDS = 30.0
TMPFS_BYTES = EffectiveLimits().file_bytes


@dataclass(frozen=True)
class ContainerSpec:
    """The parameters of a container. `image` is an id; `mounts` are folders of this machine that are mounted read-only."""

    image: str
    python: str
    mounts: tuple[str, ...]
    preload: tuple[str, ...]


class GradingContainer:
    """A container whose fork server waits for one submission. Raises NoSandbox if it does not start."""

    def __init__(self, client: DockerClient, spec: ContainerSpec) -> None:
        self.spec = spec
        self.memory_bytes = _compute_memory_bytes(EffectiveLimits())
        self._stderr_tail = b""
        # Only this user can enter the outer folder. The container gets the inner one.
        self._folder = tempfile.mkdtemp(prefix="pmh-control-")
        self._control: socket.socket | None = None
        self._stderr: socket.socket | None = None
        self._container: DockerContainer | None = None
        try:
            with _create_listener(self._folder) as listener:
                self._container = client.containers.create(
                    **_build_container_options(spec, self._folder, self.memory_bytes)
                )
                self._container.start()
                self._stderr = self._accept_connection(listener)
                self._control = self._accept_connection(listener)
            self._wait_until_ready(self._control)
        except DockerException as error:
            self.close()
            raise NoSandbox(
                f"No container for grading can be started: {error}", advice="Run `docker info` to look for the cause."
            ) from error
        except OSError as error:
            self.close()
            raise NoSandbox(
                f"The container for grading does not start: {self.read_stderr_tail() or error}",
                advice="Set PMH_GRADER_IMAGE to an image with Python 3.11 or newer, ipython and msgspec.",
            ) from error

    @property
    def id(self) -> str:
        """Return the id that the engine gave it."""
        return str(self._container.id) if self._container else ""

    def read_stderr_tail(self) -> str:
        """Return the end of its standard error, for the log."""
        with suppress(OSError):
            while self._stderr and (data := self._stderr.recv(1 << 16, socket.MSG_DONTWAIT)):
                self._stderr_tail = (self._stderr_tail + data)[-STDERR_TAIL_BYTES:]
        return self._stderr_tail.decode("utf-8", "replace").strip()

    def is_alive(self) -> bool:
        """Return False once its fork server has ended."""
        return self._control is not None and not select.select([self._control], [], [], 0)[0]

    def set_memory_limit(self, limits: EffectiveLimits) -> None:
        """Set the memory limit of all its processes together, if it differs from the current one. Raises NoSandbox."""
        memory_bytes = _compute_memory_bytes(limits)
        if self._container and memory_bytes != self.memory_bytes:
            try:
                self._container.update(mem_limit=memory_bytes, memswap_limit=memory_bytes)
            except DockerException as error:
                raise NoSandbox(f"The memory of a container cannot be limited: {error}") from error

    def run(self, bundle: bytes, timeout_seconds: float) -> JudgeRun:
        """Run the one grading of this container, within `timeout_seconds`."""
        assert self._control
        judge_run = request_grading(self._control, bundle, timeout_seconds)
        return replace(judge_run, stderr_tail=self.read_stderr_tail())

    def close(self) -> None:
        """Stop it, remove it, and wait until it is removed."""
        for connection in (self._control, self._stderr):
            if connection:
                connection.close()
        if self._container:
            _remove(self._container)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept_connection(self, listener: socket.socket) -> socket.socket:
        """Accept the container's next connection. Raises OSError."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not select.select([listener], [], [], 0.5)[0]:
            if time.monotonic() > deadline or self._has_ended():
                raise TimeoutError("it did not connect")
        return listener.accept()[0]

    def _wait_until_ready(self, control: socket.socket) -> None:
        """Wait until the fork server is ready. Raises OSError."""
        control.settimeout(START_TIMEOUT_SECONDS)
        if control.recv(100) != b"ready":
            raise ConnectionError("it ended")
        control.settimeout(None)

    def _has_ended(self) -> bool:
        assert self._container
        try:
            self._container.reload()
        except NotFound:
            return True
        return str(self._container.status) in ("exited", "dead", "removing")


def remove_orphaned_containers(client: DockerClient) -> None:
    """Remove containers whose owner process has ended, especially those that were created but not started."""
    own_label = _make_owner_label()
    with suppress(DockerException):
        for container in client.containers.list(all=True, filters={"label": OWNER_LABEL}, ignore_removed=True):
            owner_label = str(container.labels.get(OWNER_LABEL, ""))
            if owner_label != own_label and not _is_owner_alive(owner_label):
                _remove(container)


def _build_container_options(spec: ContainerSpec, folder: str, memory_bytes: int) -> dict[str, Any]:
    """Return the options of a container, which restrict it as far as possible."""
    main_call = f"main(connect_to_host(), {list(spec.preload)!r}, [], is_sandboxed=True, is_containerized=True)"
    env_variables = build_sandbox_environment(Path(spec.python), STUDENT_HOME)
    if "/" not in spec.python:
        del env_variables["PATH"]  # the image sets its own
    tmpfs_options = f"rw,nosuid,nodev,mode=1777,size={TMPFS_BYTES}"
    mounts = {
        **{path: path for path in spec.mounts},
        **{str(PACKAGE_FOLDER / name): f"{PACKAGE_MOUNT}/{name}" for name in SANDBOX_PACKAGES},
        f"{folder}/open": CONTROL_MOUNT,
    }
    return {
        "image": spec.image,
        "name": f"pmh-grading-{uuid.uuid4().hex[:12]}",
        "command": build_python_command(spec.python, Path(PACKAGE_MOUNT), main_call, CONNECT_CODE),
        "entrypoint": [],
        "environment": env_variables,
        "user": "0:0",
        "working_dir": "/",
        "labels": {OWNER_LABEL: _make_owner_label()},
        "network_mode": "none",
        "ipc_mode": "private",
        "read_only": True,
        "tmpfs": {
            STUDENT_HOME: tmpfs_options,
            "/tmp": tmpfs_options,
            JUDGE_HOMES: f"rw,nosuid,nodev,noexec,mode=755,size={TMPFS_BYTES}",
        },
        "shm_size": TMPFS_BYTES,
        "mounts": [Mount(target, source, type="bind", read_only=True) for source, target in mounts.items()],
        "cap_drop": ["ALL"],
        "cap_add": CAPABILITIES,
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": memory_bytes,
        "memswap_limit": memory_bytes,  # no additional swap
        "pids_limit": MAX_PROCESSES,
        "nano_cpus": int(CPU_LIMIT * 1e9),
        "ulimits": [
            Ulimit(name="nofile", soft=MAX_OPEN_FILES, hard=MAX_OPEN_FILES),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "auto_remove": True,
        "stdin_open": False,
        "detach": True,
    }


def _compute_memory_bytes(limits: EffectiveLimits) -> int:
    return limits.memory_bytes + OVERHEAD_BYTES


def _create_listener(folder: str) -> socket.socket:
    """Create the socket that the fork server connects to. Every user may open it, because the fork server has no special access."""
    os.mkdir(f"{folder}/open")
    os.chmod(f"{folder}/open", 0o755)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"{folder}/open/socket")
    os.chmod(f"{folder}/open/socket", 0o666)
    listener.listen(1)
    return listener


def _remove(container: DockerContainer) -> None:
    """Remove it by force, and wait until it is removed. The engine may be removing it already, because it ends with its socket."""
    deadline = time.monotonic() + REMOVE_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        with suppress(NotFound, DockerException):
            container.remove(force=True, v=True)
        try:
            container.reload()
        except DockerException:
            return
        time.sleep(0.02)


def _make_owner_label() -> str:
    """Return a label of this process that no later process can have."""
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot_id}/{os.readlink('/proc/self/ns/pid')}/{os.getpid()}/{_read_start_ticks(os.getpid())}"


def _is_owner_alive(owner_label: str) -> bool:
    """Return False only if the owner has certainly ended: processes of another container are not visible from here."""
    boot_id, _, rest = owner_label.partition("/")
    pid_namespace, _, process = rest.partition("/")
    pid, _, start_ticks = process.partition("/")
    if boot_id != _make_owner_label().partition("/")[0]:
        return False
    if pid_namespace != os.readlink("/proc/self/ns/pid") or not pid.isdecimal():
        return True
    return _read_start_ticks(int(pid)) == start_ticks


def _read_start_ticks(pid: int) -> str:
    """Return when a process started, in ticks since boot; "" for one that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
