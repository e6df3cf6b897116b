"""The local spawner: each user's server is a process on the hub's machine, in its own sandbox.

A server never outlives the Hub, however the Hub ends: bubblewrap ends with its parent, and everything in the sandbox ends with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jupyterhub.spawner import Spawner, SpawnException
from jupyterhub.utils import random_port
from traitlets import Enum, Float, Instance, Integer, Unicode

from pmh_jupyter.hub.homes import make_home, make_home_folder_name
from pmh_jupyter.hub.port_owners import find_process_tree, is_listening
from pmh_jupyter.hub.server_files import ServerFiles
from pmh_jupyter.hub.server_sandbox import ServerLimits, ServerOwner, build_sandbox_command, find_home_in_sandbox

LOOPBACK = "127.0.0.1"
# How often a starting server is polled. The Hub itself would poll only every 5 s; polling a local process costs microseconds.
POLL_INTERVAL_SECONDS = 0.05


class LocalSpawner(Spawner):  # type: ignore[misc]
    """Starts, polls and stops one sandboxed server."""

    homes = Instance(Path, help="Folder of users' homes.").tag(config=True)
    logs = Instance(
        Path, help="Folder of the servers' logs: one file per user, overwritten when the server starts."
    ).tag(config=True)
    files = Instance(ServerFiles, help="Files of the machine that servers may read.").tag(config=True)
    sandbox = Enum(
        ["bubblewrap", "none"],
        "bubblewrap",
        help="none: servers can read everything that the hub can read. Only for machines without a working bubblewrap, on loopback.",
    ).tag(config=True)
    service_url = Unicode(help="Address of the service as servers reach it.").tag(config=True)
    memory_mb = Integer(1024, help="MiB of memory that each process of a server may write to.").tag(config=True)
    max_processes = Integer(256, help="Processes and threads of one server.").tag(config=True)
    first_uid = Integer(
        1_900_000_000, help="Lowest uid of servers if the hub runs as root. No other user may have a uid from here on."
    ).tag(config=True)
    stop_timeout_seconds = Float(5.0, help="Seconds after which a server that is being stopped is killed.").tag(
        config=True
    )

    _process: subprocess.Popen[bytes] | None = None

    async def start(self) -> str:
        """Start the server and return its address once it listens there."""
        self.port = random_port()
        home, uid = make_home(self.homes, self.user.name, self.first_uid)
        owner = ServerOwner(make_home_folder_name(self.user.name), uid, home)
        with ExitStack() as open_files:
            self._process = self._start_process(owner, open_files)
        await self._wait_until_listening()
        return f"http://{LOOPBACK}:{self.port}"

    async def poll(self) -> int | None:
        """Return None while the server runs, else its exit code. A server of an earlier Hub has ended with that Hub."""
        return 0 if self._process is None else self._process.poll()

    async def stop(self, now: bool = False) -> None:
        """Stop the server and its kernels with SIGTERM, then kill remaining processes. The rest of the sandbox ends with them."""
        process = self._process
        if process is None:
            return
        if not now and process.poll() is None:
            self._terminate(process)
            await self._wait_until(self.stop_timeout_seconds, lambda: process.poll() is not None)
        for pid in reversed(find_process_tree(process.pid)) if process.poll() is None else ():
            _send_signal(pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        self._process = None

    def get_env(self) -> dict[str, str]:
        """Return the server's environment: the Hub's JUPYTERHUB_* variables and paths. Nothing is inherited from the hub's process."""
        home = self._find_home_in_sandbox()
        env: dict[str, str] = super().get_env()
        return env | {
            "HOME": home,
            "USER": self.user.name,
            "LOGNAME": self.user.name,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "PATH": self.files.search_path,
            # For the kernels' sockets. In the sandbox /tmp is private, and the path is short enough for a socket's name.
            "JUPYTER_RUNTIME_DIR": "/tmp/jupyter"
            if self.sandbox == "bubblewrap"
            else f"{home}/.local/share/jupyter/runtime",
            "PMH_SERVICE_URL": self.service_url,
        }

    def _start_process(self, owner: ServerOwner, open_files: ExitStack) -> subprocess.Popen[bytes]:
        command: list[str] = [*self.cmd, *self.get_args()]
        descriptors: list[int] = []
        if self.sandbox == "bubblewrap":
            limits = ServerLimits(self.memory_mb, self.max_processes)
            command, descriptors = build_sandbox_command(command, owner, self.files, limits, open_files)
        log = open_files.enter_context(self._open_log(owner))
        return subprocess.Popen(
            command,
            env=self.get_env(),
            cwd=None if self.sandbox == "bubblewrap" else owner.host_home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
        )

    def _open_log(self, owner: ServerOwner) -> Any:
        """Open this server's own log. It must not be the hub's: through /proc, a server can read the file behind its stdout."""
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.logs / f"{owner.name}.log"
        path.unlink(missing_ok=True)
        return open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))

    def _find_home_in_sandbox(self) -> str:
        name = make_home_folder_name(self.user.name)
        home = self.homes / name
        return (
            find_home_in_sandbox(ServerOwner(name, 0, home), self.files) if self.sandbox == "bubblewrap" else str(home)
        )

    async def _wait_until_listening(self) -> None:
        process = self._process
        assert process is not None
        while not is_listening(self.port, process.pid):
            if process.poll() is not None:
                raise SpawnException(
                    "Your notebook server ended before it was ready. Start it again. "
                    "If the problem persists, contact your hub administrator.",
                    reason="server-ended",
                    status_code=500,
                    log_message=f"exit code {process.returncode}; see {self.logs / make_home_folder_name(self.user.name)}.log",
                )
            await asyncio.sleep(POLL_INTERVAL_SECONDS)

    async def _wait_until(self, timeout_seconds: float, is_done: Callable[[], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while not is_done() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(POLL_INTERVAL_SECONDS)

    def _terminate(self, process: subprocess.Popen[bytes]) -> None:
        """Send SIGTERM to the server itself, not to the two bubblewrap processes above it, which would kill the sandbox at once."""
        pids = find_process_tree(process.pid)
        server_pid = pids[2] if self.sandbox == "bubblewrap" and len(pids) > 2 else pids[0]
        _send_signal(server_pid, signal.SIGTERM)


def _send_signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
