"""Which operators a test cell may use on the student's own objects, and what is believed of those that it may.

An operator is allowed in a cell where the reference solution used it or one of its family, and a comparison with plain data in the very
statements in which the reference made one. Elsewhere plain data is expected: an object that decides by itself what it equals
would earn points, and would be told what it is compared with.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from typing import Any

from .near import near, strange_to
from .operators import IN_PLACE, QUIET, REFLECTED
from .proxies import is_stand_in

LYING = "lying-operator"
OBJECT = "object-for-data"
CODE = "code-for-data"
_FAMILIES = (
    frozenset({"eq", "ne"}),
    frozenset({"lt", "le", "gt", "ge"}),
    frozenset({"bool", "len", "length_hint"}),
    frozenset({"int", "index", "float", "complex", "round", "trunc", "floor", "ceil"}),
)
_OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}


class Denied(Exception):
    """An operator on an object of the student's that this cell does not allow, or that lies. `said`: to the student."""

    def __init__(self, words: str, said: str = "") -> None:
        super().__init__(words)
        self.said = said


class TextAsCode(Denied):
    """A test would have run, in the judge, what it does not say itself."""


class _Stranger:
    """Equal to nothing and in nothing: whoever says otherwise says so of everything."""


_MEANT = object()  # stands for what an object is really asked about


# What is noted of an operator of the reference's beside its name, with the number of the check in which it was so: that plain data
# stood on the other side, and that it claims of values what is taken for a lie elsewhere (numbers modulo seven equal every
# seventh one).
DATA, STRANGE = "data", "strange"
# What an object is asked about strangers to try a claim.
_TRIED_BY = {"eq": "eq", "ne": "eq", "contains": "contains"}


def family(name: str) -> frozenset[str]:
    """The operators that are allowed together with this one."""
    name, _, beside = name.partition(" ")
    if beside:
        return frozenset(f"{each} {beside}" for each in family(name))
    plain = name[1:] if name in REFLECTED | IN_PLACE else name
    for names in _FAMILIES:
        if name in names:
            return names
    return frozenset({plain, f"r{plain}", f"i{plain}"})


class Rules:
    """The rules of one test cell at a time. `denial` is the first breach since `begin`; it stands even if the test caught it."""

    def __init__(self, *, record: bool) -> None:
        self.record = record
        self.used: set[str] = set()
        self.denial: Denied | None = None
        self.flags: list[dict[str, str]] = []
        self._allowed: frozenset[str] | None = None
        self._secret = b""
        self._check = self._count = 0
        self._said: bool | None = None

    def begin(self, operators: Iterable[str], source: str) -> None:
        """A test cell begins. Nobody over there knows its `source`, from which the values come that claims are tried against."""
        self.used, self.flags, self.denial = set(), [], None
        self._allowed = frozenset().union(*map(family, operators))
        self._secret = hashlib.sha256(source.encode("utf-8", "replace")).digest()
        self._check = self._count = 0
        self._said = None

    def next_check(self) -> None:
        """The next statement of the cell. What an earlier one did changes nothing of what this one's claims are tried against."""
        self._check, self._count, self.denial = self._check + 1, 0, None

    def end(self) -> None:
        """Between test cells nothing is ruled on."""
        self._allowed = None

    def allows(self, name: str) -> bool:
        """Whether an operator would be allowed."""
        return self.record or self._allowed is None or name in self._allowed

    def allow(self, name: str, kind: type) -> None:
        """Notes that an operator is used; raises `Denied` where the reference had plain data."""
        if name in QUIET or self._allowed is None:
            return
        self.used.add(name)
        if not self.record and name not in self._allowed:
            self._deny(OBJECT, kind, f"an object of class {_name(kind)} where the reference gives plain data ({name})")

    def meets(self, name: str) -> bool:
        """Whether an object is compared with plain data in this check, as it is now. Where the reference compares objects with each
        other alone, it is neither asked nor told what it is compared with: it is not equal.
        """
        if self._allowed is None or name not in _OPPOSITE:
            return True
        here = self._here(name, DATA)
        self.used.add(here)
        return self.record or name not in self._allowed or here in self._allowed

    def _here(self, name: str, beside: str) -> str:
        return f"{name} {beside} {self._check}"

    def doubt(self, name: str, kind: type, other: Any, say: Callable[[str, Any], Any]) -> None:
        """Before an object is asked whether it equals plain data, it is asked about values near by and about that one, in an order that
        nobody over there can foresee: so that whoever equals one value alone has to guess which of them is meant. Raises `Denied`.
        """
        self._said = None
        if name not in ("eq", "ne") or is_stand_in(other) or not self._doubts(name):
            return
        word = self._word()
        values = [*near(other, word), _MEANT]
        random.Random(word[::-1]).shuffle(values)
        for value in values if len(values) > 1 else ():
            claimed = _claims(say, "eq", other if value is _MEANT else value)
            if value is _MEANT:
                self._said = claimed
            elif claimed:
                self._lies(name, kind, "equals what it does not")

    def believe(self, name: str, kind: type, claim: Any, other: Any, say: Callable[[str, Any], Any]) -> None:
        """Tries a claim that could not be true of everything; `say` does an operator to the same object. Raises `Denied`."""
        said, self._said = self._said, None
        if name not in ("contains", *_OPPOSITE) or claim is NotImplemented or not self._doubts(name):
            return
        if self.record and type(claim) is not bool:  # element by element, say
            self.used.add(self._here(name, STRANGE))
            return
        true = _is_true(claim)
        if name in _TRIED_BY and true is not (name == "ne"):
            asked = _TRIED_BY[name]
            if said is False:
                self._lies(name, kind, "equals what it did not equal before")
            if any(_claims(say, asked, value) for value in self._strangers(other)):
                self._lies(name, kind, f"{_CLAIMS[asked]} everything")
        if name in _OPPOSITE and true and _claims(say, _OPPOSITE[name], other):
            self._lies(name, kind, f"contradicts itself ({name})")

    def _doubts(self, name: str) -> bool:
        return self._allowed is not None and self._here(name, STRANGE) not in self._allowed

    def _lies(self, name: str, kind: type, words: str) -> None:
        """Of the reference's own objects it is noted; no other may do it where they do not."""
        if self.record:
            self.used.add(self._here(name, STRANGE))
        else:
            self._deny(LYING, kind, f"an object of class {_name(kind)} that {words}")

    def _word(self) -> str:
        """Hexadecimal digits that nobody over there can foresee, others each time."""
        self._count += 1
        return hashlib.sha256(self._secret + f"{self._check} {self._count}".encode()).hexdigest()

    def _strangers(self, other: Any) -> list[Any]:
        """Values that nobody compared with before, one of them of the kind that `other` is."""
        word = self._word()
        return [_Stranger(), *(strange_to(other, word) or [word])]

    def refuse(self, words: str) -> TextAsCode:
        """Notes that something of the student's would have become code here; what is raised for it. See `gate`."""
        self.flags.append({"code": CODE, "detail": words[:200]})
        refused = TextAsCode(words[:200], _SAID[CODE])
        self.denial = self.denial or refused
        return refused

    def _deny(self, code: str, kind: type, words: str) -> None:
        self.flags.append({"code": code, "detail": words[:200]})
        denial = Denied(words[:200], _SAID[code].format(_name(kind)))
        self.denial = self.denial or denial
        raise denial


_SAID = {
    OBJECT: "has an object of your class {} where plain data is expected (a number, a text, a list, …).",
    CODE: "would run what your answer gives it; plain data is expected.",
    LYING: "has an object of your class {} that says of itself what cannot be.",
}
_CLAIMS = {"eq": "equals", "contains": "holds"}


def _claims(say: Callable[[str, Any], Any], name: str, value: Any) -> bool:
    try:
        return _is_true(say(name, value))
    except Exception:  # noqa: BLE001 - an operator of the student's may raise anything
        return False


def _is_true(claim: Any) -> bool:
    """What an assertion makes of it; of an object of the student's, and of what has no truth, the worst."""
    if claim is NotImplemented:
        return False
    try:
        return is_stand_in(claim) or bool(claim)
    except Exception:  # noqa: BLE001 - an array has no truth
        return True


def _name(kind: type) -> str:
    name: str = type.__getattribute__(kind, "__name__")
    return name[:80]
