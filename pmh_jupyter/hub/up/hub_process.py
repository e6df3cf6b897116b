"""JupyterHub as a child of `pmh up`: started with its log, watched, and ended with all that came from it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.hub.tied import tied
from pmh_jupyter.hub.up.processes import adopt_orphans, descendants, end_descendants, reap
from pmh_jupyter.hub.up.progress import Progress

# JupyterHub itself ends users' servers, service and proxy when it is asked to; past this it is no longer asked.
GRACE_SECONDS = 20.0
WATCH_SECONDS = 1.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class HubProcess:
    """The running hub and its log."""

    popen: subprocess.Popen[bytes]
    log: Path

    def alive(self) -> bool:
        return self.popen.poll() is None

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        while True:
            try:
                return self.popen.wait(WATCH_SECONDS)
            except subprocess.TimeoutExpired:
                reap(but=self.popen.pid)


@contextmanager
def running_hub(config: Path, environ: dict[str, str], log: Path, progress: Progress) -> Iterator[HubProcess]:
    """Starts the hub. On leaving, however that comes about, it and every process that came from it have ended.

    SIGTERM and SIGHUP raise KeyboardInterrupt, as SIGINT does; while the hub is being ended all three are ignored.
    """
    adopt_orphans()
    for number in STOPPING:
        signal.signal(number, signal.default_int_handler)
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(_start(config, environ, log))
        yield HubProcess(started[0], log)
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        with progress.step("Stopping the hub and all that came from it"):
            _end(started)


def _start(config: Path, environ: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = tied([sys.executable, "-m", "jupyterhub", "--config", str(config)])
    with open(log, "ab") as output:
        # In a session of its own: Ctrl-C in the terminal reaches `pmh up` alone, which then ends the rest in order.
        return subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def _end(started: list[subprocess.Popen[bytes]]) -> None:
    """The hub first, in peace; then whoever is left, also of those who were there before it ended."""
    family = descendants()
    for hub in started:
        hub.terminate()
        try:
            hub.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            hub.kill()
            hub.wait()
    end_descendants(family, grace=1.0)
