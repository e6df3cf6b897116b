"""JupyterHub as a child process of `pmh up`: started with a log, and ended with all of its descendants."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pmh_jupyter.hub.die_with_parent import build_die_with_parent_command
from pmh_jupyter.hub.up.processes import adopt_orphans, find_descendants, reap_orphans, terminate_descendants
from pmh_jupyter.hub.up.progress import Progress

# On SIGTERM JupyterHub stops users' servers, service and proxy. After this time it is killed.
STOP_TIMEOUT_SECONDS = 20.0
POLL_INTERVAL_SECONDS = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class HubProcess:
    """The running hub, and the path of its log."""

    popen: subprocess.Popen[bytes]
    log: Path

    def is_alive(self) -> bool:
        return self.popen.poll() is None

    def wait(self) -> int:
        """Wait until the hub ends by itself, and return its exit code."""
        while True:
            try:
                return self.popen.wait(POLL_INTERVAL_SECONDS)
            except subprocess.TimeoutExpired:
                reap_orphans(excluded_pid=self.popen.pid)


@contextmanager
def run_hub_process(config: Path, environ: dict[str, str], log: Path, progress: Progress) -> Iterator[HubProcess]:
    """Start the hub, and end it with all of its descendants when the block ends for any reason.

    SIGTERM and SIGHUP raise KeyboardInterrupt, as SIGINT does. All three are ignored while the hub is being stopped.
    """
    adopt_orphans()
    for signal_number in STOP_SIGNALS:
        signal.signal(signal_number, signal.default_int_handler)
    hubs: list[subprocess.Popen[bytes]] = []
    try:
        hubs.append(_start_hub(config, environ, log))
        yield HubProcess(hubs[0], log)
    finally:
        for signal_number in STOP_SIGNALS:
            signal.signal(signal_number, signal.SIG_IGN)
        with progress.step("Stopping the hub and everything that it started"):
            _stop_hub(hubs)


def _start_hub(config: Path, environ: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = build_die_with_parent_command([sys.executable, "-m", "jupyterhub", "--config", str(config)])
    with open(log, "ab") as output:
        # A new session: Ctrl-C in the terminal interrupts only `pmh up`, which then stops the rest in order.
        return subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )


def _stop_hub(hubs: list[subprocess.Popen[bytes]]) -> None:
    """Stop the hub with SIGTERM, then end the remaining descendants, including orphans of the hub."""
    descendants_before = find_descendants()
    for hub in hubs:
        hub.terminate()
        try:
            hub.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            hub.kill()
            hub.wait()
    terminate_descendants(descendants_before, grace_seconds=1.0)
