"""`pmh up` as a person starts it in a terminal, with data and ports of its own.

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

from tests.support.hub.hub_process import PORTS, free_ports

PMH = (sys.executable, "-m", "pmh_jupyter")
UP_SECONDS = 150.0
END_SECONDS = 60.0
LOOK_SECONDS = 0.1


@dataclass
class UpProcess:
    """One `pmh up`. `command` is the `pmh` to run; `settings` are PMH_* variables, and whatever else its environment should hold."""

    folder: Path
    command: Sequence[str] = PMH
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        ports = {name: str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
        self.data = self.folder / "data"
        self.settings = {"PMH_DATA_DIR": str(self.data)} | ports | dict(self.settings)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.settings['PMH_PORT']}"

    @property
    def told(self) -> str:
        """What it has printed so far."""
        return (self.folder / "up.txt").read_text()

    @property
    def log(self) -> str:
        return (self.data / "logs" / "hub.log").read_text(errors="replace")

    def start(self) -> UpProcess:
        """Starts it; returns at once."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PMH_")}
        with open(self.folder / "up.txt", "wb") as output:
            self.process = subprocess.Popen(
                [*self.command, "up"], env=environ | dict(self.settings), stdout=output, stderr=output, cwd=self.folder
            )
        return self

    def until_up(self) -> UpProcess:
        """Returns when it says that the hub is up."""
        self.until(lambda: "The hub is up" in self.told, UP_SECONDS, "the hub to be up")
        return self

    def until(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        """Waits until `done()` is true; AssertionError with what was told after `seconds`, or when it has ended."""
        end = time.monotonic() + seconds
        while not done():
            ended = self.process is None or self.process.poll() is not None
            assert not ended and time.monotonic() < end, f"Waited in vain for {what}.\n{self.told}"
            time.sleep(LOOK_SECONDS)

    def join_code(self, who: str) -> str:
        """The code told for "Students" or "Instructors"."""
        found = re.search(rf"{who}.* join code (\S+)", self.told)
        assert found, self.told
        return found[1]

    def family(self) -> list[psutil.Process]:
        """Itself and all that came from it, as of now."""
        assert self.process is not None
        this = psutil.Process(self.process.pid)
        return [this, *this.children(recursive=True)]

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        assert self.process is not None
        return self.process.wait(END_SECONDS)

    def stop(self) -> int:
        self.send(signal.SIGINT)
        return self.wait()


@contextmanager
def running_up(folder: Path, command: Sequence[str] = PMH, **settings: str) -> Iterator[UpProcess]:
    """A hub that is up, and is stopped at the end."""
    up = UpProcess(folder, command, settings).start()
    try:
        yield up.until_up()
    finally:
        up.stop()


def all_end(processes: Sequence[psutil.Process], seconds: float = END_SECONDS) -> list[str]:
    """Waits until the processes have ended; the commands of those that have not by then."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return commands(alive)


def commands(processes: Sequence[psutil.Process]) -> list[str]:
    """The command line of each process that runs; one that has just ended has none."""
    found = []
    for process in processes:
        try:
            found.append(" ".join(process.cmdline()))
        except psutil.NoSuchProcess:  # a zombie too
            continue
    return found
