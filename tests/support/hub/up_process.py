"""`pmh up` as in a terminal, with its own data and ports.

with running_up(tmp_path) as up:
    ada = Person(up, "ada", "a long enough password")
    assert ada.sign_up(up.join_code("Students")).status_code == 302
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.hub.hub_process import PORT_VARIABLES, Addresses, free_ports

PMH = (sys.executable, "-m", "pmh_jupyter")
UP_SECONDS = 150.0
END_SECONDS = 60.0
POLL_INTERVAL_SECONDS = 0.1


@dataclass
class UpProcess(Addresses):
    """One `pmh up`. `command` is the `pmh` to run; `settings` are PMH_* variables and others of its environment."""

    folder: Path
    command: Sequence[str] = PMH
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        ports = {name: str(port) for name, port in zip(PORT_VARIABLES, free_ports(len(PORT_VARIABLES)), strict=True)}
        self.data = self.folder / "data"
        self.settings = {"PMH_DATA_DIR": str(self.data)} | ports | dict(self.settings)

    @property
    def output(self) -> str:
        """Its output so far."""
        return (self.folder / "up.txt").read_text()

    @property
    def log(self) -> str:
        return (self.data / "logs" / "hub.log").read_text(errors="replace")

    def start(self) -> UpProcess:
        """Start it without waiting."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PMH_")}
        with open(self.folder / "up.txt", "wb") as output:
            self.process = subprocess.Popen(
                [*self.command, "up"], env=environ | dict(self.settings), stdout=output, stderr=output, cwd=self.folder
            )
        return self

    def wait_until_up(self) -> UpProcess:
        """Wait until it prints that the hub is up."""
        self.wait_until(lambda: "The hub is up" in self.output, UP_SECONDS, "the hub to be up")
        return self

    def wait_until(self, is_done: Callable[[], object], seconds: float, expectation: str) -> None:
        """Wait until `is_done()`. Raises AssertionError with the output after `seconds`, or once it has ended."""
        deadline = time.monotonic() + seconds
        while not is_done():
            has_ended = self.process is None or self.process.poll() is not None
            assert not has_ended and time.monotonic() < deadline, f"Waited for {expectation}.\n{self.output}"
            time.sleep(POLL_INTERVAL_SECONDS)

    def join_code(self, group: str) -> str:
        """Return the printed join code of "Students" or "Instructors"."""
        match = re.search(rf"{group}.* join code (\S+)", self.output)
        assert match, self.output
        return match[1]

    def process_tree(self) -> list[psutil.Process]:
        """Return the process and its current descendants."""
        assert self.process is not None
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def send(self, signal_number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(signal_number)

    def wait(self) -> int:
        """Wait for its end, and return the exit code."""
        assert self.process is not None
        return self.process.wait(END_SECONDS)

    def stop(self) -> int:
        self.send(signal.SIGINT)
        return self.wait()


@contextmanager
def running_up(folder: Path, command: Sequence[str] = PMH, **settings: str) -> Iterator[UpProcess]:
    """A running hub, which is stopped at the end."""
    up = UpProcess(folder, command, settings).start()
    try:
        yield up.wait_until_up()
    finally:
        up.stop()


def all_end(processes: Sequence[psutil.Process], seconds: float = END_SECONDS) -> list[str]:
    """Wait until the processes have ended. Returns the commands of those that still run."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return commands(alive)


def commands(processes: Sequence[psutil.Process]) -> list[str]:
    """Return the command line of each process that still runs."""
    command_lines = []
    for process in processes:
        try:
            command_lines.append(" ".join(process.cmdline()))
        except psutil.NoSuchProcess:  # a zombie too
            continue
    return command_lines
