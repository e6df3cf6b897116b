"""One run of a test cell in the judge's process: as inside, but what it does not bind lies in another process."""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..checks import Told
from ..compare import Compare
from ..given import Helpers
from ..harden import Seen
from ..judge import CellRun, Terms, test_of
from ..origin import Origins
from ..record import Recorder
from ..rewrite import placed
from ..text import clip
from .exceptions import place_of
from .frames import Lost
from .judging_peer import JudgingPeer
from .names import Namespace
from .peer import TimeUp
from .ready import ReadyCell, ReadyCheck
from .rules import Denied

Test = dict[str, Any]


class TestCell(CellRun):
    """Runs the checks of one cell and says of each what became of it. Raises `Lost` when the student's process is lost."""

    __test__ = False  # not a pytest class

    def __init__(self, peer: JudgingPeer, namespace: Namespace, helpers: Helpers, cell: ReadyCell | None) -> None:
        self.peer, self.user_ns, self.cell = peer, namespace, cell
        terms = Terms()
        rules = {**cell.rules, **helpers.relay.rules} if cell else None
        recorder = Recorder(_Believing(Origins(), lambda code, detail: None), rules=rules)
        helpers.begin(recorder, namespace.__getitem__)
        super().__init__(self, recorder, {}, terms, Seen(terms.flags))
        self.flags = terms.flags

    def run(self) -> list[Test]:
        """The cell's tests. After what raises and is no assertion, and after the time is up, nothing is checked."""
        if self.cell is None:
            return [test_of(None, "our-fault", "broken")]
        try:
            return self.all(list(self.cell.checks))
        except TimeUp:  # between two checks
            return [test_of(None, "timed-out", "timed-out")]

    def _check(self, check: Told) -> Test:
        self.peer.rules.next_check()
        test = super()._check(check)
        if self.peer.lost is not None and test["outcome"] != "timed-out":
            raise Lost(self.peer.lost.cause, self.peer.lost.detail)
        return test

    def _raised(self, check: ReadyCheck) -> BaseException | None:
        error: BaseException | None = None
        try:
            with self._fetched(check.names):
                self._execute(placed(check.code, self.recorder))
        except BaseException as raised:  # noqa: BLE001 - a test fails whatever the student's code raises, SystemExit too
            error = raised
            if isinstance(raised, TimeUp):
                signal.setitimer(signal.ITIMER_REAL, 0)
        # A breach of the rules counts even where the test has caught it; that the time is up, even more.
        return error if isinstance(error, TimeUp) else self.peer.rules.denial or error

    def _failed(self, check: Told, error: BaseException) -> Test:
        if isinstance(error, TimeUp):
            return test_of(check, "timed-out", "timed-out")
        if isinstance(error, Denied) and error.said:
            if check.hidden:  # a class of the student's may be named after what it was called with
                return test_of(check, "failed", "fails", error=type(error).__name__)
            return test_of(
                check, "failed", "said", text=f"`{check.expression}` {error.said}", error=type(error).__name__
            )
        place = place_of(error)
        if place is None:
            return super()._failed(check, error)
        cell, line = place
        fault = {"error": clip(type(error).__name__, 80), "detail": "", "cell": cell, "line": line}
        if isinstance(error, MemoryError):
            return test_of(check, "crashed", "memory", **fault)
        if not check.hidden and not isinstance(error, AssertionError):
            with suppress(Exception):
                fault["detail"] = clip(str(error))
        return test_of(check, "failed", "raised", **fault)

    @contextmanager
    def _fetched(self, names: Collection[str]) -> Iterator[None]:
        """These names, where they are not the test's own, stand in the namespace itself for as long as a statement runs."""
        fetched = {}
        for name in names:
            if not self.user_ns.owns(name):
                with suppress(KeyError):
                    fetched[name] = self.user_ns[name]
        dict.update(self.user_ns, fetched)
        try:
            yield
        finally:
            for name, value in fetched.items():
                if self.user_ns.own(name) is value:
                    self.user_ns.pop_own(name)


class _Believing(Compare):
    """Compares as Python does: objects of the student's are stand-ins here, which have rules of their own."""

    def honest(self, name: str, left: Any, right: Any) -> bool:
        return True

    def truth(self, value: Any) -> bool:
        return bool(value)

    def untrue(self, value: Any) -> bool:
        return not value

    def is_instance(self, value: Any, kind: Any) -> bool:
        return True
