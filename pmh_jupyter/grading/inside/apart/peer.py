"""One end of the conversation between judge and student's process.

A message is `[kind, payload, dropped, forgotten, out, err, …]`: a request (the last field says what is asked) or an answer, which an
exception's place may follow. The payload holds what is said and the twins that changed; `dropped` and `forgotten` what need not be
kept for the other side; `out` and `err` what was printed. While one side waits for its answer it serves the other's requests.
"""

from __future__ import annotations

import threading
from typing import Any

from . import exceptions
from .codec import Codec
from .crossing import Crossing
from .forms import TooMuch
from .frames import Link, Lost
from .own import BUILTINS
from .twins import Twin, Twins

__builtins__ = BUILTINS

ASK, GIVE, RAISE = 0, 1, 2
FIELDS = 6
MOST_DEPTH = 40
_UNSENDABLE = (TooMuch, RecursionError, MemoryError, TypeError, ReferenceError)


# What a table holds now, to be compared with what it held: nothing of it is sent, so nothing in it is given or described.
_LOOKS = Codec(lambda value: ["held", id(value)], lambda form: None)


class TimeUp(BaseException):
    """The time of a test cell is up while the judge's own code runs."""


class Peer:
    """What both sides have in common. `judge`: which side this is. The hooks below `serve` are for the subclasses."""

    def __init__(self, link: Link, *, judge: bool) -> None:
        self.link = link
        self.lost: Lost | None = None
        self.retired = False
        self.depth = 0
        self.asked = 0
        self._judge = judge
        self.crossing = Crossing(self, trusted=not judge)
        self.codec = self.crossing.codec
        self.twins = Twins(1 if judge else -1, _LOOKS.encode)
        self._forgotten: list[int] = []
        self._lock = threading.RLock()

    # What is done to a stand-in.

    def get(self, target: Any, name: str) -> Any:
        """An attribute of an object over there."""
        return self.ask("get", target, name)

    def set(self, target: Any, name: str, value: Any) -> None:
        """Sets an attribute over there."""
        self.ask("set", target, name, value)

    def delete(self, target: Any, name: str) -> None:
        """Deletes an attribute over there."""
        self.ask("delete", target, name)

    def names(self, target: Any) -> list[str]:
        """What `dir` says of an object over there."""
        names = self.ask("names", target)
        return [name for name in names if type(name) is str] if type(names) is list else []

    def call(self, target: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Calls an object over there."""
        return self.ask("call", target, tuple(arguments), tuple(named), tuple(named.values()))

    def operate(self, target: Any, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Does an operator to an object over there."""
        if name == "call":
            return self.call(target, arguments, named)
        return self.ask("operate", target, name, tuple(arguments), tuple(named), tuple(named.values()))

    def vouches(self, target: Any, name: str, other: Any) -> bool:
        """Whether a class over there takes for its own what does not derive from it (`register`, a protocol)."""
        return self.ask("operate", target, name, (other,), (), ()) is True

    def copy(self, target: Any, deep: bool) -> Any:
        """A copy, over there, of an object over there."""
        return self.ask("copy", target, deep)

    def finish(self, target: Any) -> Any:
        """The result of an awaitable over there, which runs to its end."""
        return self.ask("finish", target)

    # The conversation.

    def ask(self, what: str, *arguments: Any) -> Any:
        """The other side's answer. Raises what it answered with, `Lost`, or `TooMuch` and the like for what cannot be sent."""
        with self._lock:
            if self.retired:
                raise ReferenceError("this object went away with the process that had it")
            if self.lost is not None:
                raise Lost(self.lost.cause, self.lost.detail)
            if self.depth >= MOST_DEPTH:
                raise RecursionError("the test and the notebook call each other too deeply")
            self.before()
            self.depth += 1
            self.asked += 1
            try:
                self._send(ASK, arguments, [], [what])
                return self._answered()
            except Lost as lost:
                self.lost = lost
                raise
            except TimeUp:
                # Whatever was being said is cut short: nothing that comes now answers anything.
                self.lost = Lost("time", "The time is up.")
                raise
            finally:
                self.depth -= 1

    def _send(self, kind: int, said: Any, brought: list[Twin], extra: list[Any]) -> None:
        changed = self.twins.changed(brought, only_theirs=self._judge)
        if self._judge:
            self._forgotten += self.twins.unused()
        dropped = self.crossing.dropped
        count = len(dropped)
        self.twins.begin()
        self.crossing.fresh_classes.clear()
        try:
            payload = self.codec.encode((said, changed), self.twins)
            news = [[list(pair) for pair in dropped[:count]], self._forgotten]
            self.link.send([kind, payload, *news, *self.printed(), *extra])
        except _UNSENDABLE:
            self.twins.unsend()
            self.crossing.given.undescribe(self.crossing.fresh_classes)
            raise
        del dropped[:count]
        self._forgotten = []

    def _answered(self) -> Any:
        """Serves the other side's requests until its answer comes."""
        while True:
            message = self.receive()
            if message[0] == ASK:
                self.serve(message)
                continue
            value, _ = self._read(message, heavy=False)
            if message[0] == GIVE:
                return value
            if not isinstance(value, BaseException):
                raise Lost("answer", "What was raised is no exception.")
            if len(message) == FIELDS + 2:
                exceptions.put_place(value, *message[FIELDS:])
            raise value

    def receive(self) -> list[Any]:
        """The next message, of the right shape. Raises `Lost`."""
        message = self.link.receive()
        if (
            type(message) is not list
            or not FIELDS <= len(message) <= FIELDS + 2
            or message[0] not in (ASK, GIVE, RAISE)
        ):
            raise Lost("answer", "A message is malformed.")
        return message

    def _read(self, message: list[Any], *, heavy: bool) -> tuple[Any, list[Twin]]:
        """What a message says, and the twins that it brought. Raises `Lost` for what is malformed."""
        _, payload, dropped, forgotten, out, err, *_ = message
        if type(out) is str and type(err) is str:
            self.heard(out, err)
        for pair in dropped if type(dropped) is list else ():
            if type(pair) is list and len(pair) == 2:
                self.crossing.given.drop(*pair)
        if type(forgotten) is list and not self._judge:
            self.twins.forget(forgotten)
        try:
            values = self.codec.decode(payload, self.twins)
            brought = self.twins.arrived(heavy)
        except Lost:
            raise
        except Exception as error:  # noqa: BLE001 - to hash or order what came may ask the other side, which raises anything
            raise Lost("answer", f"A message is malformed: {type(error).__name__}: {error}"[:200]) from None
        if type(values) is not tuple or len(values) != 2:
            raise Lost("answer", "A message is malformed.")
        return values[0], brought

    def serve(self, message: list[Any]) -> None:
        """Answers one request. Nothing but `Lost` comes out of it."""
        arguments, brought = self._read(message, heavy=True)
        kind, place = GIVE, []
        self.depth += 1
        try:
            if self.depth > MOST_DEPTH:
                raise RecursionError("the test and the notebook call each other too deeply")
            result = self.answer(message[FIELDS], arguments)
        except (Lost, TimeUp):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the code here raises, SystemExit too, the other side hears
            kind, result, place = RAISE, self.shared(error), self.place(error)
        finally:
            self.depth -= 1
        self._reply(kind, result, brought, place)

    def _reply(self, kind: int, result: Any, brought: list[Twin], place: list[int]) -> None:
        try:
            self._send(kind, result, brought, place)
        except _UNSENDABLE as error:
            problem = ValueError(f"a value cannot leave its process: {error}"[:300])
            self._send(RAISE, problem, [], [])

    # Hooks.

    def answer(self, what: Any, arguments: Any) -> Any:
        """Does what is asked; whatever it raises is the answer."""
        raise NotImplementedError

    def before(self) -> None:
        """A request is about to be made."""

    def printed(self) -> tuple[str, str]:
        """What was printed here since the last message."""
        return "", ""

    def heard(self, out: str, err: str) -> None:
        """What was printed over there."""

    def shared(self, error: BaseException) -> BaseException:
        """The exception that the other side may see for one raised here."""
        return error

    def place(self, error: BaseException) -> list[int]:
        """Cell and line where it came from, if that is told."""
        return []
