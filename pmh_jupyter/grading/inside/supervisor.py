"""What starts inside the wall: reads a bundle, runs its cells one by one in a worker, writes one JSON line an event.

The answer goes out as it comes, so that what was done before a crash is kept. Every line carries the bundle's token, which never
enters the worker: a line without it was not written here. Events: start {cell}; done {cell, state, cause, fault, tests, seconds};
fault {detail}, ours; end.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import re
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from .child import Child

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
START_SECONDS = 30.0
GRACE_SECONDS = 1.0


def main() -> None:
    """Grades the bundle on standard input."""
    _protect()
    bundle = json.load(sys.stdin.buffer)
    _write_files(bundle["files"])
    answers = Answers(bundle["token"])
    if not bundle["cells"]:
        answers.say("end")
        return
    child = Child(
        bundle["limits"], numpy=any(re.search("numpy|pandas|scipy", cell["source"]) for cell in bundle["cells"])
    )
    try:
        if child.reply("ready", START_SECONDS) is None:
            answers.say("fault", detail=f"{child.cause} {child.detail} {child.told.decode('utf-8', 'replace')}"[-2000:])
            return
        _run_cells(bundle, child, answers)
    finally:
        child.end()
    answers.say("end")


class Answers:
    """The private way out: a copy of standard output that no other process is given."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.file = os.fdopen(os.dup(1), "w", buffering=1)

    def say(self, event: str, **fields: Any) -> None:
        self.file.write(json.dumps({"token": self.token, "event": event} | fields) + "\n")
        self.file.flush()


def _run_cells(bundle: dict[str, Any], child: Child, answers: Answers) -> None:
    limits = bundle["limits"]
    deadline = time.monotonic() + limits["submission_seconds"]
    for cell in bundle["cells"]:
        started = time.monotonic()
        left = deadline - started
        if left <= 0:
            return
        answers.say("start", cell=cell["number"])
        # A time limit that the whole submission set is told apart from the cell's own.
        short = left < limits["cell_seconds"]
        outcome = _run_cell(cell, child, min(left, limits["cell_seconds"]))
        if short and outcome["cause"] == "time":
            outcome["cause"] = "submission-time"
        answers.say("done", cell=cell["number"], seconds=time.monotonic() - started, **outcome)
        if child.dead or outcome["state"] == "dead":
            return


def _run_cell(cell: dict[str, Any], child: Child, seconds: float) -> dict[str, Any]:
    """One cell. state: ran, or dead when the worker is lost; cause: "" or why it was stopped or died."""
    token = secrets.token_hex(16)
    child.ask(cell | {"reply": token})
    answer = child.reply(token, seconds)
    if answer is None and child.cause in ("time", "output"):
        answer = child.grace(token, GRACE_SECONDS)
    outcome = {"state": "ran" if answer else "dead", "cause": child.cause, "detail": child.detail}
    answer = answer or {}
    return outcome | {"fault": answer.get("fault"), "tests": answer.get("tests", [])}


def _write_files(files: list[dict[str, str]]) -> None:
    """The submission's files into the work folder, which is the current one and empty."""
    for file in files:
        path = Path(file["path"])
        if path.is_absolute() or ".." in path.parts:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(file["content"]))


def _protect() -> None:
    """The worker runs as the same user: it must not read this process's memory, and what it leaves behind must come to us."""
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_DUMPABLE, 0), (PR_SET_CHILD_SUBREAPER, 1)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
