"""Fixture: `target`, what the probes try to reach."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.grading import grade as grade_module
from tests.support.grading.containment import SECRET


@pytest.fixture
def target(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Targets of the grader's own user: a secret file, a process with a secret in its environment and an open file, and a server."""
    secret = tmp_path / "key"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        secret.open("rb") as held,
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={"KEY": SECRET}, pass_fds=(held.fileno(),)) as process,
    ):
        abstract_name = f"{SECRET}-{os.getpid()}"  # names of abstract sockets are shared by the whole machine
        abstract.bind(f"\0{abstract_name}")
        abstract.listen()
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        yield {
            "file": str(secret),
            "secret": SECRET,
            "pid": process.pid,
            "word": "cat",
            "descriptor": held.fileno(),
            "port": server.getsockname()[1],
            "abstract": abstract_name,
            "source": grade_module.__file__,
        }
        process.kill()


def _greet(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.sendall(SECRET.encode())
