"""What a sandbox withholds from a submission: each probe succeeds without a sandbox, and fails in the real one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.grading import grade as grade_module
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from tests.support.grading.lesson import ENGINE, answered, bubblewrap, grade, notebook, task

pytestmark = pytest.mark.needs("bubblewrap")
PROBES = sorted((ENGINE / "probes").glob("*.txt"))
SECRET = "pmh-secret-7261"


def _release() -> Release:
    answer = {"grade_id": "probe", "solution": True}
    test = {"grade_id": "probe-tests", "grade": True, "locked": True, "points": 1}
    cells = [
        {"cell_type": "code", "source": "reached = False", "metadata": {"nbgrader": answer}},
        {"cell_type": "code", "source": "assert reached", "metadata": {"nbgrader": test}},
    ]
    return build_release("probe", "Probe", [notebook(cells, "probe.ipynb")], [])


def _reaches(code: str, backend: SandboxBackend, target: dict[str, Any], limits: EffectiveLimits | None = None) -> bool:
    """Return whether the probe's code reached its target."""
    source = "import json\ntarget = json.load(open('target.json'))\nreached = False\n" + code
    release = _release()
    submitted = notebook(answered({"probe": source}, release), "probe.ipynb")
    target_file = File("target.json", json.dumps(target).encode())
    grading = grade(task(submitted, target_file, release=release, limits=limits), backend)
    assert grading.grader_error is None
    return grading.verdicts[0].outcome is Outcome.PASSED


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


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.stem)
def test_probe_reaches_nothing_in_the_sandbox(probe: Path, target: dict[str, Any]) -> None:
    code = probe.read_text()
    assert _reaches(code, UnsandboxedBackend(), target), "the probe itself does not work"
    assert not _reaches(code, bubblewrap(), target)


def _living(word: str) -> list[int]:
    """Return the processes of this machine whose command line contains the word."""
    pids = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                if word.encode() in Path(f"/proc/{entry}/cmdline").read_bytes():
                    pids.append(int(entry))
            except OSError:
                continue
    return pids


SURVIVE = """
import os, signal, subprocess, time
command = ["python3", "-c", "import time; time.sleep(60)", {word!r}]
subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(60)
"""


def test_no_process_of_a_submission_outlives_it(tmp_path: Path) -> None:
    limits = EffectiveLimits(cell_seconds=2, submission_seconds=2)
    for backend, survives in ((UnsandboxedBackend(), True), (bubblewrap(), False)):
        word = f"survivor-{backend.name}-{os.getpid()}"
        _reaches(SURVIVE.format(word=word), backend, {}, limits)
        survivors = _living(word)
        for pid in survivors:
            os.kill(pid, 9)
        assert bool(survivors) is survives


MEET = """
import os, time
name, others = target["name"], set(target["names"])
open(f"/tmp/pmh-meet-{name}", "w").close()
until = time.monotonic() + 1.5
while time.monotonic() < until and not reached:
    reached = all(os.path.exists(f"/tmp/pmh-meet-{other}") for other in others)
"""


def test_concurrent_gradings_do_not_see_each_other() -> None:
    names = [f"{os.getpid()}-a", f"{os.getpid()}-b"]
    for backend, meet in ((UnsandboxedBackend(), [True, True]), (bubblewrap(), [False, False])):
        with ThreadPoolExecutor(2) as pool:
            reached = pool.map(
                lambda name, backend=backend: _reaches(MEET, backend, {"name": name, "names": names}), names
            )
            assert list(reached) == meet
    for name in names:
        Path(f"/tmp/pmh-meet-{name}").unlink()


COUNT = """
import os, time
children = 0
try:
    while children < 40:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        children += 1
except OSError:
    pass
time.sleep(0.5)
reached = children >= 25
"""


def test_processes_are_counted_per_grading() -> None:
    limits = EffectiveLimits(cell_seconds=5, submission_seconds=10, processes=30)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: _reaches(COUNT, bubblewrap(), {}, limits), range(2))) == [True, True]
    assert not _reaches(COUNT.replace(">= 25", ">= 30"), bubblewrap(), {}, limits)
