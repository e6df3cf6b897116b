"""Another person on the same machine, for `attack-others`: a home, processes, and everything else that programs share."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pmh_jupyter.domain.course import File
from tests.support.attacks.attack import ATTACKS_FOLDER, Outcome, SubmissionSpec, build_files, load_solutions
from tests.support.processes import find_processes, kill_processes
from tests.support.waiting import wait_until

SEMAPHORE_VALUE = 7  # the value of the victim's semaphore
libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Victim:
    """A process of another person, outside of any grading. The same code can also be submitted, as `submission`."""

    token: str = field(default_factory=lambda: f"pmh-attack-{secrets.token_hex(4)}")
    secret: str = field(default_factory=lambda: f"crossed-{secrets.token_hex(8)}")
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="victim-")))
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.key = 0x70000000 | secrets.randbits(24)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]

    @property
    def placeholders(self) -> dict[str, str]:
        """What an attacker may know: where to look, not what is there."""
        return {"TOKEN": self.token, "KEY": str(self.key), "PORT": str(self.port), "HOME": str(self.folder / "home")}

    def _make_code(self, secret: str, seconds: float) -> str:
        text = (ATTACKS_FOLDER / "victim.txt").read_text(encoding="utf-8")
        for name, value in {**self.placeholders, "SECRET": secret, "SECONDS": str(seconds)}.items():
            text = text.replace(f"@{name}@", value)
        return text

    def make_submission(self, seconds: float) -> tuple[File, ...]:
        """Return an honest submission that runs for `seconds`, and exposes to others everything that the sandbox allows."""
        return build_files(SubmissionSpec(cells={"area": self._make_code(self.secret, seconds)}), load_solutions(), {})

    def start(self) -> None:
        """Start the process, and wait until it is ready."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        (home / "answers.txt").write_text(self.secret)
        for name in ("ready.txt", "stop.txt"):
            (self.folder / name).unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, "-c", self._make_code(self.secret, 600)], cwd=self.folder)
        process = self.process

        def is_ready() -> bool:
            assert process.poll() is None, "the victim has ended"
            return (self.folder / "ready.txt").exists()

        wait_until(is_ready, "the victim to be ready")

    def find_damage(self) -> list[str]:
        """What was done to this person's process and files."""
        assert self.process
        damage = [] if self.process.poll() is None else ["killed"]
        if not damage and os.getpriority(os.PRIO_PROCESS, self.process.pid) > os.getpriority(os.PRIO_PROCESS, 0):
            damage.append("slowed")
        own_files = (
            Path(f"/tmp/{self.token}.txt"),
            Path(f"/dev/shm/{self.token}.txt"),
            self.folder / "home" / "answers.txt",
        )
        damage += [str(path) for path in own_files if not path.exists() or path.read_text() != self.secret]
        semaphore = libc.semget(self.key, 1, 0)
        if semaphore >= 0 and libc.semctl(semaphore, 0, 12) != SEMAPHORE_VALUE:
            damage.append("semaphore")
        folders = (Path("/tmp"), self.folder, self.folder / "home", Path.cwd(), Path.cwd().parent)
        return damage + [str(path) for folder in folders for path in folder.glob(f"outside-{self.token}*")]

    def stop(self) -> None:
        """Stop the process and remove everything that it has created."""
        if self.process:
            kill_processes([self.process.pid, *find_processes(self.token)])
            self.process.wait()
        for path in (Path(f"/tmp/{self.token}.txt"), Path(f"/dev/shm/{self.token}.txt")):
            path.unlink(missing_ok=True)
        for path in self.folder.rglob(f"outside-{self.token}*"):
            path.unlink()
        for remove, get in ((libc.shmctl, libc.shmget(self.key, 0, 0)), (libc.msgctl, libc.msgget(self.key, 0))):
            remove(get, 0, None)
        libc.semctl(libc.semget(self.key, 0, 0), 0, 0)
        libc.mq_unlink(f"/{self.token}".encode())

    def is_reached_by(self, outcome: Outcome) -> bool:
        """Return whether the attack has read or changed something of this person's."""
        planted = f"planted-{self.token}" in outcome.text
        return (
            self.secret in outcome.text
            or planted
            or bool(self.find_damage())
            or bool(outcome.measurements.get("outside"))
        )


@contextlib.contextmanager
def running_victim() -> Iterator[Victim]:
    person = Victim()
    try:
        person.start()
        yield person
    finally:
        person.stop()
        for path in sorted(person.folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        person.folder.rmdir()
