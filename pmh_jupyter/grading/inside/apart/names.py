"""The names of the test cells: what they bind is theirs, the rest is looked up by the release's rules.

In this order: the test cells' own; helpers that the release gives; libraries that the reference had under that name, if the student's
notebook has bound it too; builtins, unless the reference shadows them; else the student's.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from typing import Any

from . import library
from .crossing import Private
from .judging_peer import JudgingPeer
from .proxies import MirrorType

_NOTHING = object()


class Manifest:
    """What is kept of a release's judging, or what is being found out about it. Operators are by `grade_id`."""

    def __init__(self, judging: dict[str, Any] | None) -> None:
        known = judging or {}
        self.library = {name: (str(place[0]), str(place[1])) for name, place in known.get("library", {}).items()}
        self.rebinds = set(known.get("rebinds", ()))
        self.shadowed = set(known.get("shadowed", ()))
        self.exports = tuple(known.get("exports", ()))
        self.given = set(known.get("given", ()))
        self.files = set(known.get("files", ()))
        self.operators: dict[str, set[str]] = {cell: set(names) for cell, names in known.get("operators", {}).items()}

    def learn(self, grade_id: str, used: dict[str, Any]) -> None:
        """Adds what one test cell used, where it ran inside (see `inside/used.py`)."""
        self.library |= {name: (str(place[0]), str(place[1])) for name, place in used["library"].items()}
        self.shadowed |= set(used["shadowed"])
        self.given |= set(used["given"])
        self.operators.setdefault(grade_id, set()).update(used["operators"])

    def as_dict(self) -> dict[str, Any]:
        """As the event "manifest" has it: sorted, so that the same release gives the same bytes."""
        return {
            "library": {name: list(place) for name, place in sorted(self.library.items())},
            "rebinds": sorted(self.rebinds),
            "shadowed": sorted(self.shadowed),
            "given": sorted(self.given),
            "files": sorted(self.files),
            "operators": {cell: sorted(names) for cell, names in sorted(self.operators.items())},
        }


class Namespace(dict[str, Any], Private):
    """The globals of the test cells. What `dict` itself holds are the test cells' own names."""

    def __init__(self, lookup: Lookup) -> None:
        super().__init__()
        self.lookup = lookup

    def __repr__(self) -> str:
        """Shown to students, who may not read what hidden tests have bound."""
        return "{…}"

    def __missing__(self, name: str) -> Any:
        return self.lookup.find(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and self.lookup.has(name))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __delitem__(self, name: str) -> None:
        self.lookup.forget(name)
        mine = self.pop_own(name)
        if not mine and not self.lookup.unbind(name):
            raise KeyError(name)

    def pop_own(self, name: str) -> bool:
        """Removes a name of the test cells; whether there was one."""
        return super().pop(name, _NOTHING) is not _NOTHING

    def own(self, name: str, default: Any = None) -> Any:
        """What the test cells have bound to a name."""
        return super().get(name, default)

    def owns(self, name: str) -> bool:
        """Whether the test cells have bound a name."""
        return super().__contains__(name)

    def keys(self) -> Any:
        return dict.fromkeys(self).keys()

    def __iter__(self) -> Iterator[str]:
        yield from list(super().__iter__())
        yield from (name for name in self.lookup.names() if not super(Namespace, self).__contains__(name))

    def items(self) -> Any:
        return {name: self[name] for name in self}.items()

    def values(self) -> Any:
        return {name: self[name] for name in self}.values()


class Lookup:
    """Finds what the test cells do not bind. Stand-ins are kept for a cell; plain data is asked for again after each request."""

    def __init__(self, peer: JudgingPeer, manifest: Manifest, helpers: Mapping[str, Any], *, record: bool) -> None:
        self.peer, self.manifest, self.helpers, self.record = peer, manifest, helpers, record
        self._stand_ins: dict[str, Any] = {}
        self._data: dict[str, tuple[int, Any]] = {}
        self._bound: dict[str, bool] = {}

    def new_cell(self) -> None:
        """Forgets what the student's process said: its cells may have bound anything anew."""
        self._stand_ins.clear()
        self._data.clear()
        self._bound.clear()

    def find(self, name: str) -> Any:
        """The value of a name; KeyError where there is none, or where Python's own builtin is meant."""
        if name in self.helpers and name in self.manifest.given:
            return self.helpers[name]
        builtin = name in vars(builtins)
        if name in self.manifest.library and (builtin or self._is_bound(name)):
            return library.find(*self.manifest.library[name])
        if name.startswith("__") or (builtin and not self.record and name not in self.manifest.shadowed):
            raise KeyError(name)
        if name in self._stand_ins:
            return self._stand_ins[name]
        asked, value = self._data.get(name, (-1, None))
        return value if asked == self.peer.asked else self._ask(name, builtin)

    def _ask(self, name: str, builtin: bool) -> Any:
        if self._bound.get(name) is False:
            raise KeyError(name)
        found, value, reference = _three(self.peer.ask("lookup", name))
        self._bound[name] = found
        if not found:
            raise KeyError(name)
        if self.record and reference is not None and self._keeps(name, reference):
            return library.find(*self.manifest.library[name])
        if self.record and builtin:
            self.manifest.shadowed.add(name)
        if type(value) is MirrorType or type(type(value)) is MirrorType or isinstance(value, type):
            self._stand_ins[name] = value
        else:
            self._data[name] = (self.peer.asked, value)
        return value

    def _keeps(self, name: str, reference: Any) -> bool:
        """Notes a library's name of the reference, if this process can have it too."""
        module, path = reference
        if module in library.STATEFUL:
            return False
        try:
            library.find(module, path)
        except (ImportError, AttributeError):
            return False
        self.manifest.library[name] = (module, path)
        return True

    def _is_bound(self, name: str) -> bool:
        if name not in self._bound:
            self._bound[name] = self.peer.ask("has", name) is True
        return self._bound[name]

    def has(self, name: str) -> bool:
        """Whether the notebook has bound a name."""
        return self._is_bound(name)

    def forget(self, name: str) -> None:
        """A name is bound anew."""
        for known in (self._stand_ins, self._data, self._bound):
            known.pop(name, None)

    def unbind(self, name: str) -> bool:
        """Deletes a name of the notebook's; whether there was one."""
        return self.peer.ask("unbind", name) is True

    def names(self) -> list[str]:
        """The names that the notebook has bound."""
        names = self.peer.ask("globals")
        return [name for name in names if type(name) is str] if type(names) is list else []


def _three(answer: Any) -> tuple[bool, Any, Any]:
    if type(answer) is not tuple or len(answer) != 3:
        return False, None, None
    return answer[0] is True, answer[1], answer[2]
