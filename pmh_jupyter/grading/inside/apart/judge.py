"""The judge of a notebook: has the student's cells run over there, and runs the test cells here."""

from __future__ import annotations

import builtins
from typing import Any

from ..bindings import bound_names
from ..checks import without_hidden
from ..given import Helpers
from ..judge import plain_source
from ..text import clip
from .cell import TestCell
from .file_watch import WATCH
from .files import SharedFiles
from .frames import Link, Lost
from .gate import GATE, Texts
from .judging_peer import JudgingPeer
from .names import Lookup, Manifest, Namespace
from .proxies import shown_class
from .ready import make_ready, unpacked
from .rules import Rules
from .sources import Sources
from .statements import MODULE, TEXT, TYPE, prepare
from .surroundings import Surroundings

Test = dict[str, Any]
Fault = dict[str, Any] | None
MOST_FLAGS = 100


class Judge:
    """Speaks to the student's process over `link`. `judging`: what the release knows (see NotebookJudging), or None.

    `places`: by name, the folders whose files tests and notebook share; `given`: the lesson's own files there; `file_bytes`: the most
    that one may hold. With `record` (the reference solution, at release) nothing is refused and `manifest` fills. `Lost` comes out of
    every method when the student's process is of no more use: then `reconnect` to another one.
    """

    def __init__(
        self,
        link: Link,
        judging: dict[str, Any] | None,
        record: bool = False,
        *,
        places: dict[str, str] | None = None,
        given: list[dict[str, str]] | None = None,
        file_bytes: int = 64 << 20,
    ) -> None:
        self._record = record
        self._manifest = Manifest(judging)
        self._rules = Rules(record=record)
        self._sources = Sources()
        self._texts = Texts()
        # The shell that a test cell asked for, and the names that it had before.
        self._lent: tuple[Any, Any] | None = None
        self._helpers = Helpers(prepare)
        self._files = (
            SharedFiles(places, given or [], file_bytes, self._manifest.files, record=record) if places else None
        )
        self._connect(link)
        self.namespace = Namespace(self._lookup)
        self._surroundings = Surroundings(self.peer, self._sources, self.namespace)
        self.namespace.update(
            {"__name__": "__main__", "__builtins__": builtins, TYPE: shown_class, MODULE: self._module, "In": [""]}
        )
        self.namespace[TEXT] = self._text
        self.namespace["_ih"] = self.namespace["In"]
        self.namespace["get_ipython"] = self._get_ipython

    def _connect(self, link: Link) -> None:
        self.peer = JudgingPeer(link, self._rules, lambda: self.namespace.own("input"), self._files)
        self._lookup = Lookup(self.peer, self._manifest, self._helpers, record=self._record)

    def reconnect(self, link: Link) -> None:
        """Goes on with another student's process, which knows nothing of what was said before."""
        self.peer.retired = True
        self._connect(link)
        self.namespace.lookup = self._lookup
        self._surroundings = Surroundings(self.peer, self._sources, self.namespace)

    def manifest(self) -> dict[str, Any]:
        """What the test cells used so far: library, rebinds, shadowed, operators."""
        if self._files:
            self._manifest.files = self._files.changed
        return self._manifest.as_dict()

    def checkpoint(self) -> None:
        """The student's process freezes a copy of itself."""
        self.peer.ask("checkpoint")

    def run_student(self, number: int, source: str) -> Fault:
        """Runs a student's cell; what it raised (see `fault_of`), or None."""
        # Most notebooks need no look at what a cell binds: the tests have no name of their own that the reference binds too.
        held = self._helpers.held()
        if self._record or any(name in held or self.namespace.owns(name) for name in self._manifest.rebinds):
            names = bound_names(plain_source(source) or "")
            if self._record:
                self._manifest.rebinds |= names
            for name in names & self._manifest.rebinds:
                self.namespace.pop_own(name)
                self._helpers.forget(name)
        return self._run(number, source)

    def run_given(self, number: int, source: str) -> Fault:
        """Runs a locked cell of the release over there; helpers that it defines are made here too. What it raised, or None."""
        plain = plain_source(source) or ""
        for name in bound_names(plain):
            self.namespace.pop_own(name)
        self._helpers.add(plain)
        self._texts.add(plain)
        return self._run(number, source)

    def _run(self, number: int, source: str) -> Fault:
        self._note_source(source)
        self._sources.add(source)
        return self.run_again(number, source)

    def run_again(self, number: int, source: str) -> Fault:
        """Runs a cell in a process that takes another's place, where it is to leave what it left; here it is known already."""
        self._lookup.new_cell()
        with self.peer.silent():
            return _fault(self.peer.ask("run", number, source))

    def run_tests(
        self, number: int, grade_id: str, source: str, kept: str = ""
    ) -> tuple[list[Test], list[dict[str, str]]]:
        """Runs a test cell; its tests (see `inside/judge.py`), and flags ({code, detail}). `kept`: see `ready.packed`.

        The time limit is the link's deadline. What the cell exports goes over when it has run.
        """
        self._lookup.new_cell()
        # A test may look at `In`, and what it looks at may be shown.
        self._note_source(without_hidden(source))
        self._rules.begin(self._manifest.operators.get(grade_id, ()), source)
        ready = unpacked(kept) or make_ready(source)
        self._texts.add(ready.plain if ready else "")
        cell = TestCell(self.peer, self.namespace, self._helpers, ready)
        try:
            with (
                self._surroundings.entered(),
                WATCH.told(self._files),
                GATE.shut(self._rules.refuse, self._texts.all),
            ):
                tests = cell.run()
        finally:
            self._rules.end()
            if self._lent is not None:
                self._lent[0].user_ns, self._lent = self._lent[1], None
        if self._record:
            self._manifest.operators.setdefault(grade_id, set()).update(self._rules.used)
        self.peer.end_cell()
        self.export()
        flags = self._files.take_flags() if self._files else []
        return tests, [*self._rules.flags, *cell.flags, *flags][:MOST_FLAGS]

    def export(self) -> None:
        """Gives the student's process the names that later cells of its notebook read."""
        for name in self._manifest.exports:
            if self.namespace.owns(name):
                self.peer.ask("bind", name, self.namespace.own(name))

    def _note_source(self, source: str) -> None:
        self.namespace.own("In", []).append(source)

    def _text(self, text: Any, name: str) -> Any:
        """What is evaluated; an `eval` of the notebook's own gets what it is given."""
        own = name in self._manifest.shadowed or self.namespace.owns(name)
        return text if own else self._texts.code(text, name)

    def _module(self, name: str) -> Any:
        return self.peer.ask("module", name)

    def _get_ipython(self) -> Any:
        """A shell of the judge's own, made when a test asks for one, that sees the test's names."""
        from ..shell import make_shell

        shell = make_shell()
        self._lent = self._lent or (shell, shell.user_ns)
        shell.user_ns = self.namespace
        return shell


def _fault(answer: Any) -> Fault:
    """A fault as `fault_of` gives it, from what the student's process says."""
    if answer is None:
        return None
    if type(answer) is not dict:
        raise Lost("answer", "A fault is malformed.")
    error, detail = answer.get("error"), answer.get("detail")
    cell, line = answer.get("cell"), answer.get("line")
    return {
        "error": clip(error, 80) if type(error) is str else "",
        "detail": clip(detail) if type(detail) is str else "",
        "cell": cell if type(cell) is int else None,
        "line": line if type(line) is int else None,
    }
