"""The loop over a notebook's cells, in the judge: each is run, what became of it is told, and a cell that takes the student's
process along costs no other.

Events are JSON lines: start {cell}; done {cell, state, cause, detail, fault, tests, seconds, flags}; manifest; flag {code, cell,
detail}; ready {cells}, where the bundle says what to `prepare`; fault {detail}, ours; end.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from .apart.frames import Link, Lost
from .apart.judge import Judge
from .apart.ready import make_ready, packed
from .cells import needs_ipython
from .harden import imports
from .judge import plain_source
from .kernel_side import TestsInKernel, with_kernel
from .sandbox.handle import Sandbox
from .side import TestsInside

NUMERIC = re.compile("numpy|pandas|scipy")
# What takes a student's process no time of its cells': to start, to be frozen, to go on.
SWIFT_SECONDS = 5.0
# A checkpoint costs as much as a few cells of most notebooks. One is taken where running again what came since the last would take
# longer than this; else, when a cell is lost, the others are run again, in empty folders where there is no checkpoint at all.
WORTH_SECONDS = 0.1
Cell = dict[str, Any]


class Answers:
    """The way out: one line an event."""

    def __init__(self, job: socket.socket) -> None:
        self.job = job
        self._kept = b""

    def say(self, event: str, *, more: bool = False, **fields: Any) -> None:
        """`more`: it goes out with the next, which is said at once. Whoever hears it need not be woken twice."""
        self._kept += _line(event, fields)
        if not more:
            self.job.sendall(self._kept)
            self._kept = b""


def _line(event: str, fields: dict[str, Any]) -> bytes:
    try:
        rest = msgspec.json.encode(fields)[1:]
    except UnicodeEncodeError:  # half a character, which only the library's own form can say
        rest = json.dumps(fields).encode()[1:]
    return b'{"event": "%s"%s%s\n' % (event.encode(), b", " if fields else b"", rest)


class Notebook:
    """One bundle being run. `since` has the cells whose effects the last checkpoint does not have, `spent` how
    long they took, `done` all that ran; `places` are the judge's shared folders (see `Room`)."""

    def __init__(
        self, bundle: dict[str, Any], sandbox: Sandbox, answers: Answers, places: dict[str, str] | None = None
    ) -> None:
        self.bundle, self.sandbox, self.answers, self.places = bundle, sandbox, answers, places
        self.limits: dict[str, Any] = bundle["limits"]
        self.deadline = time.monotonic() + self.limits["submission_seconds"]
        self.done: list[Cell] = []
        self.since: list[Cell] = []
        self.apart = (bundle.get("judging") or {}).get("way") == "apart" and not bundle.get("kernel")
        self.kernel: str = bundle.get("kernel") or ""
        self.side: Judge | TestsInside | None = None
        self.link: Link | None = None
        self.lost = False
        self.spent = 0.0

    def run(self) -> None:
        """Runs the cells in their order, until the submission's time is up or its room is lost."""
        if "prepare" in self.bundle:
            self.answers.say("ready", cells=[packed(make_ready(source)) for source in self.bundle["prepare"]])
        if self.bundle["cells"]:
            self._begin()
        for cell in self.bundle["cells"]:
            if self.lost:
                self._recover()
            left = self.deadline - time.monotonic()
            if left <= 0:
                break
            self.answers.say("start", cell=cell["number"])
            started = time.monotonic()
            outcome = self._run_cell(cell, min(left, self.limits["cell_seconds"]))
            # A time limit that the whole submission set is told apart from the cell's own.
            if outcome["cause"] == "time" and left < self.limits["cell_seconds"]:
                outcome["cause"] = "submission-time"
            outcome["seconds"] = time.monotonic() - started
            self.answers.say("done", more=not self.lost, cell=cell["number"], **outcome)
        if self.side and self.bundle.get("record") and not self.kernel:
            self.answers.say("manifest", **self.side.manifest())
        self.answers.say("end")

    def _run_cell(self, cell: Cell, seconds: float) -> dict[str, Any]:
        outcome: dict[str, Any] = {"state": "ran", "cause": "", "detail": "", "fault": None, "tests": [], "flags": []}
        try:
            if cell["kind"] != "tests" and self.spent > WORTH_SECONDS:
                self._checkpoint()
            started = time.monotonic()
            outcome |= self._tell(cell, seconds)
            self.spent += time.monotonic() - started
        except Lost as lost:
            self.lost = True
            cause, detail = self.sandbox.cause(lost)
            return outcome | {"state": "dead", "cause": cause, "detail": detail}
        self.done.append(cell)
        self.since.append(cell)
        return outcome

    def _tell(self, cell: Cell, seconds: float, *, again: bool = False) -> dict[str, Any]:
        """Has one cell run; raises Lost. `again`: for what it leaves behind in the student's process."""
        assert self.side and self.link
        self.link.deadline = time.monotonic() + seconds
        if cell["kind"] == "tests":
            with _cpu_at_most(seconds + 1):
                tests, flags = self._run_tests(cell)
            # The judge's own time may have run out while the student's process was speaking.
            self.lost = isinstance(self.side, Judge) and self.side.peer.lost is not None
            return {"tests": tests, "flags": flags}
        run = self.side.run_student
        if isinstance(self.side, Judge) and again:
            run = self.side.run_again
        elif cell["kind"] == "given" and not self.kernel:
            run = self.side.run_given
        return {"fault": run(cell["number"], cell["source"])}

    def _run_tests(self, cell: Cell) -> Any:
        assert self.side
        what = (cell["number"], cell.get("grade_id") or "", cell["source"])
        return (
            self.side.run_tests(*what, cell.get("ready", ""))
            if isinstance(self.side, Judge)
            else self.side.run_tests(*what)
        )

    def _checkpoint(self) -> None:
        assert self.side and self.link
        self.link.deadline = time.monotonic() + SWIFT_SECONDS
        self.side.checkpoint()
        self.since, self.spent = [], 0.0

    def _begin(self) -> None:
        """A first student's process, or a fresh one: nothing has run in it."""
        self.link = self.sandbox.spawn(with_kernel(self.limits) if self.kernel else self.limits)
        self.link.deadline = time.monotonic() + SWIFT_SECONDS
        sources = [cell["source"] for cell in self.bundle["cells"]]
        self.link.send(
            {
                "way": "apart" if self.apart else "inside",
                "kernel": self.kernel,
                "judging": None if self.apart else self.bundle.get("judging"),
                "record": bool(self.bundle.get("record")),
                "imports": [] if self.apart or self.kernel else self._imports(),
                "files": self.bundle["files"],
                "seed": self.bundle["seed"],
                "plain": not needs_ipython(sources),
                "numpy": any(NUMERIC.search(source) for source in sources),
            }
        )
        self._connect(self.link)

    def _imports(self) -> list[str]:
        """Modules that the release's own cells import: the library's are protected where tests run inside."""
        sources = [cell["source"] for cell in self.bundle["cells"] if cell["kind"] != "student"]
        return sorted({name for source in sources for name in imports(plain_source(source) or "")})

    def _connect(self, link: Link) -> None:
        if self.side is not None:
            self.side.reconnect(link)
        elif self.apart:
            own = set(self.bundle.get("own", ()))
            self.side = Judge(
                link,
                self.bundle["judging"],
                bool(self.bundle.get("record")),
                places=self.places,
                given=[file for file in self.bundle["files"] if file["path"] in own],
                file_bytes=self.limits["file_bytes"],
            )
        else:
            record = bool(self.bundle.get("record"))
            self.side = TestsInKernel(link) if self.kernel else TestsInside(link, record)

    def _recover(self) -> None:
        """Brings back the state from before the cell that was lost: the last checkpoint, and what ran since; else everything anew."""
        for bring_back in (self._restore, self._restore, self._anew, self._anew, self._anew):
            cells = bring_back()
            if cells is not None and self._again(cells):
                self.lost = False
                return

    def _restore(self) -> list[Cell] | None:
        """The last checkpoint goes on; the cells that it does not have, or None when there is none."""
        link = self.sandbox.restore()
        if link is None:
            return None
        link.deadline = time.monotonic() + SWIFT_SECONDS
        try:
            link.receive()
        except Lost:
            return None
        self.link = link
        self._connect(link)
        return self.since

    def _anew(self) -> list[Cell]:
        self._begin()
        self.since = list(self.done)
        return self.since

    def _again(self, cells: list[Cell]) -> bool:
        """Runs cells once more, for what they leave behind; one that is lost this time is left out from now on.

        Judged apart, a test cell leaves its names in the judge, where nothing was lost.
        """
        started = time.monotonic()
        if isinstance(self.side, Judge):
            try:
                self.side.export()
            except Lost:
                return False
        for cell in cells:
            if self.apart and cell["kind"] == "tests":
                continue
            try:
                self._tell(cell, min(self.limits["cell_seconds"], self.deadline - time.monotonic()), again=True)
            except Lost:
                self.done = [other for other in self.done if other is not cell]
                self.since = [other for other in self.since if other is not cell]
                return False
        self.spent = time.monotonic() - started
        return True


@contextmanager
def _cpu_at_most(seconds: float) -> Iterator[None]:
    """Ends this very process when it is lost in code that no signal handler interrupts: the host goes on without the cell."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
