"""Somebody else on the same machine, for attacks that cross over: their home, their processes, their ways to meet."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pmh_jupyter.domain.course import File
from tests.support.attacks.attack import ATTACKS, Outcome, Side, files_of, solutions

UNTOUCHED = 7  # what the victim sets its semaphore to
libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Victim:
    """A process of somebody else's outside of any grading; the same code can be handed in, as `submission`."""

    token: str = field(default_factory=lambda: f"pmh-attack-{secrets.token_hex(4)}")
    secret: str = field(default_factory=lambda: f"crossed-{secrets.token_hex(8)}")
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="victim-")))
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.key = 0x70000000 | secrets.randbits(24)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]

    @property
    def words(self) -> dict[str, str]:
        """What an attacker may know: where to look, not what is there."""
        return {"TOKEN": self.token, "KEY": str(self.key), "PORT": str(self.port), "HOME": str(self.folder / "home")}

    def code(self, secret: str, seconds: float) -> str:
        text = (ATTACKS / "victim.txt").read_text(encoding="utf-8")
        for name, word in {**self.words, "SECRET": secret, "SECONDS": str(seconds)}.items():
            text = text.replace(f"@{name}@", word)
        return text

    def submission(self, seconds: float) -> tuple[File, ...]:
        """An honest submission that is there for so long, with everything open to others that the wall allows."""
        return files_of(Side(cells={"area": self.code(self.secret, seconds)}), solutions(), {})

    def arrive(self) -> None:
        """Starts the process, and waits until everything is in place."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        (home / "answers.txt").write_text(self.secret)
        for name in ("ready.txt", "stop.txt"):
            (self.folder / name).unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, "-c", self.code(self.secret, 600)], cwd=self.folder)
        until = time.monotonic() + 20
        while not (self.folder / "ready.txt").exists():
            assert self.process.poll() is None and time.monotonic() < until
            time.sleep(0.01)

    def damage(self) -> list[str]:
        """What was done to this person and what belongs to them."""
        assert self.process
        found = [] if self.process.poll() is None else ["killed"]
        if not found and os.getpriority(os.PRIO_PROCESS, self.process.pid) > os.getpriority(os.PRIO_PROCESS, 0):
            found.append("slowed")
        kept = (
            Path(f"/tmp/{self.token}.txt"),
            Path(f"/dev/shm/{self.token}.txt"),
            self.folder / "home" / "answers.txt",
        )
        found += [str(path) for path in kept if not path.exists() or path.read_text() != self.secret]
        semaphore = libc.semget(self.key, 1, 0)
        if semaphore >= 0 and libc.semctl(semaphore, 0, 12) != UNTOUCHED:
            found.append("semaphore")
        places = (Path("/tmp"), self.folder, self.folder / "home", Path.cwd(), Path.cwd().parent)
        return found + [str(path) for place in places for path in place.glob(f"outside-{self.token}*")]

    def leave(self) -> None:
        """Ends the process and takes away what it has put up."""
        if self.process:
            for pid in self._family():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            self.process.wait()
        for path in (Path(f"/tmp/{self.token}.txt"), Path(f"/dev/shm/{self.token}.txt")):
            path.unlink(missing_ok=True)
        for path in self.folder.rglob(f"outside-{self.token}*"):
            path.unlink()
        for remove, get in ((libc.shmctl, libc.shmget(self.key, 0, 0)), (libc.msgctl, libc.msgget(self.key, 0))):
            remove(get, 0, None)
        libc.semctl(libc.semget(self.key, 0, 0), 0, 0)
        libc.mq_unlink(f"/{self.token}".encode())

    def _family(self) -> Iterator[int]:
        assert self.process
        yield self.process.pid
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and self.token.encode() in (entry / "cmdline").read_bytes():
                    yield int(entry.name)

    def reached(self, outcome: Outcome) -> bool:
        """True where the attack has got at what is this person's."""
        planted = f"planted-{self.token}" in outcome.text
        return self.secret in outcome.text or planted or bool(self.damage()) or bool(outcome.used.get("outside"))


@contextlib.contextmanager
def victim() -> Iterator[Victim]:
    somebody = Victim()
    try:
        somebody.arrive()
        yield somebody
    finally:
        somebody.leave()
        for path in sorted(somebody.folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        somebody.folder.rmdir()
