"""Which operators a test cell may use on the student's own objects, and what is believed of those that it may.

An operator is allowed in a cell where the reference solution used it or one of its family. Elsewhere plain data is expected: an object
that decides by itself what it equals would earn points, and would be told what it is compared with.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from typing import Any

from .operators import IN_PLACE, QUIET, REFLECTED

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


# What is noted of an operator of the reference's beside its name: that plain data stood on the other side, and that it claims of
# values what is taken for a lie elsewhere (numbers modulo seven equal every seventh one).
DATA, STRANGE = " data", " strange"


def family(name: str) -> frozenset[str]:
    """The operators that are allowed together with this one."""
    for beside in (DATA, STRANGE):
        if name.endswith(beside):
            return frozenset(each + beside for each in family(name.removesuffix(beside)))
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
        self._count = 0

    def begin(self, operators: Iterable[str], source: str) -> None:
        """A test cell begins. Nobody over there knows its `source`, from which the values come that claims are tried against."""
        self.used, self.flags, self.denial = set(), [], None
        self._allowed = frozenset().union(*map(family, operators))
        self._secret, self._count = hashlib.sha256(source.encode("utf-8", "replace")).digest(), 0
        self._near: list[Any] = []

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
        """Whether an object is compared with plain data in this cell, as it is now. Where the reference compares objects with each
        other alone, it is neither asked nor told what it is compared with: it is not equal.
        """
        if self._allowed is None or name not in _OPPOSITE:
            return True
        self.used.add(name + DATA)
        return self.record or name not in self._allowed or name + DATA in self._allowed

    def doubt(self, name: str, kind: type, other: Any, say: Callable[[str, Any], Any]) -> None:
        """Before an object is asked whether it equals plain data: it may be asked of values near by, so that none knows which of them
        is meant. How many, nobody over there can foresee. Raises `Denied`.
        """
        if name not in ("eq", "ne") or not self._doubts(name):
            return
        self._count += 1
        digest = hashlib.sha256(self._secret + self._count.to_bytes(8, "big")).digest()
        near = _near(other, digest.hex())
        order = sorted(range(len(near)), key=lambda place: hashlib.sha256(digest + bytes([place])).digest())
        before = digest[0] % (len(near) + 1)
        self._near = [near[place] for place in order[before:]]
        if any(_claims(say, "eq", near[place]) for place in order[:before]):
            self._lies(name, kind, "equals what it does not")

    def believe(self, name: str, kind: type, claim: Any, other: Any, say: Callable[[str, Any], Any]) -> None:
        """Tries a claim that could not be true of everything; `say` does an operator to the same object. Raises `Denied`."""
        if type(claim) is not bool or name not in ("contains", *_OPPOSITE) or not self._doubts(name):
            return
        if name in ("eq", "contains") and claim and any(_claims(say, name, value) for value in self._strangers(other)):
            self._lies(name, kind, f"{_CLAIMS[name]} everything")
        if name == "ne" and not claim and any(_claims(say, "eq", value) for value in self._strangers(other)):
            self._lies(name, kind, "equals everything")
        if name in _OPPOSITE and claim and _claims(say, _OPPOSITE[name], other):
            self._lies(name, kind, f"contradicts itself ({name})")

    def _doubts(self, name: str) -> bool:
        return self._allowed is not None and name + STRANGE not in self._allowed

    def _lies(self, name: str, kind: type, words: str) -> None:
        """Of the reference's own objects it is noted; no other may do it where they do not."""
        if self.record:
            self.used.add(name + STRANGE)
        else:
            self._deny(LYING, kind, f"an object of class {_name(kind)} that {words}")

    def _strangers(self, other: Any) -> list[Any]:
        """Values that nobody compared with before, one of them of the kind that `other` is; and what `doubt` has left."""
        near, self._near = self._near, []
        self._count += 1
        digest = hashlib.sha256(self._secret + self._count.to_bytes(8, "big")).hexdigest()
        number = int(digest[:12], 16)
        like = {int: number, float: number / 7, str: digest[:12], list: [number], tuple: (number,), bool: number}
        return [*near, _Stranger(), like.get(type(other), digest)]

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


def _near(value: Any, word: str) -> list[Any]:
    """Plain data that is like this and, by no honest equality, equal to it too; the more, the less can whoever equals one value alone guess
    when it is asked of the right one. `word`: letters that nobody can foresee.
    """
    kind = type(value)
    steps = (1, -1, 2, -2, 3, -3, 5, -5)
    words = [word[place : place + 4] for place in range(0, 16, 4)]
    if kind is int:
        return [value + step for step in steps]
    if kind is float and math.isfinite(value):
        return [value + step * (1 + abs(value) / 2) for step in steps]
    if kind is bool:
        return [not value]
    if kind is str:
        return [f"{word}{value}" for word in words] + [f"{value}{word}" for word in words]
    if kind in (list, tuple):
        return [kind([*value, word]) for word in words] + [kind([word, *value]) for word in words]
    return []


def _claims(say: Callable[[str, Any], Any], name: str, value: Any) -> bool:
    try:
        return say(name, value) is True
    except Exception:  # noqa: BLE001 - an operator of the student's may raise anything
        return False


def _name(kind: type) -> str:
    name: str = type.__getattribute__(kind, "__name__")
    return name[:80]
