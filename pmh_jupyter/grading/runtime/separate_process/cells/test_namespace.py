"""Resolves the names that test cells use.

In this order: names that the test cells bind; test helpers; libraries that the reference solution has bound to the name, if the student's
notebook binds it too; builtins, unless the reference shadows them; names of the student's notebook.
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Iterable, Iterator, Set
from contextlib import suppress
from typing import Any

from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.proxies.marshaller import NeverMarshalled
from pmh_jupyter.grading.runtime.proxies.proxies import ProxyMeta, is_proxy
from pmh_jupyter.grading.runtime.separate_process.peers.judge_peer import JudgePeer
from pmh_jupyter.grading.runtime.test_cells.recorded_usage import TestUsage
from pmh_jupyter.grading.runtime.test_cells.test_helpers import TestHelpers
from pmh_jupyter.grading.runtime.transport.wire_format import decode_names

_MISSING = object()


class Namespace(dict[str, Any], NeverMarshalled):
    """The globals of the test cells. The underlying `dict` contains the names that the test cells have bound."""

    def __init__(self, name_resolver: NameResolver) -> None:
        super().__init__()
        self.name_resolver = name_resolver

    def __repr__(self) -> str:
        """Hide the content from students, because hidden tests bind names, too."""
        return "{…}"

    def __missing__(self, name: str) -> Any:
        return self.name_resolver.resolve(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and self.name_resolver.has_name(name))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __delitem__(self, name: str) -> None:
        self.name_resolver.forget(name)
        was_own = self.pop_own(name)
        if not was_own and not self.name_resolver.unbind(name):
            raise KeyError(name)

    def pop_own(self, name: str) -> bool:
        """Remove a name that the test cells have bound. Returns whether it existed."""
        return super().pop(name, _MISSING) is not _MISSING

    def get_own(self, name: str, default: Any = None) -> Any:
        """Return the value that the test cells have bound to a name."""
        return super().get(name, default)

    def has_own(self, name: str) -> bool:
        """Return whether the test cells have bound a name."""
        return super().__contains__(name)

    def keys(self) -> Any:
        return dict.fromkeys(self).keys()

    def __iter__(self) -> Iterator[str]:
        yield from list(super().__iter__())
        yield from (
            name for name in self.name_resolver.list_bound_names() if not super(Namespace, self).__contains__(name)
        )

    def items(self) -> Any:
        return {name: self[name] for name in self}.items()

    def values(self) -> Any:
        return {name: self[name] for name in self}.values()


class NameResolver:
    """Resolves names that the test cells do not bind. Proxies are cached for one cell, plain data until the next request.

    `locked_names`: names whose value comes from a locked cell (see `LockedNames`).
    """

    def __init__(self, peer: JudgePeer, usage: TestUsage, helpers: TestHelpers) -> None:
        self.peer, self.usage, self.helpers = peer, usage, helpers
        self.locked_names: frozenset[str] = frozenset()
        self._proxy_cache: dict[str, Any] = {}
        self._data_cache: dict[str, tuple[int, Any]] = {}
        self._bound_cache: dict[str, bool] = {}

    def clear_cache(self) -> None:
        """Forget all cached names, because a cell of the student may have bound them again."""
        self._proxy_cache.clear()
        self._data_cache.clear()
        self._bound_cache.clear()

    def resolve(self, name: str) -> Any:
        """Return the value of a name. Raises KeyError if there is none, or if it is a builtin."""
        if name in self.helpers and self._uses_helper(name):
            return self.helpers[name]
        is_builtin = name in vars(builtins)
        if name in self.usage.library_names and (is_builtin or self.has_name(name)):
            return importable_objects.import_object(*self.usage.library_names[name])
        if name.startswith("__") or (is_builtin and not self._may_be_shadowed(name)):
            raise KeyError(name)
        if name in self._proxy_cache:
            return self._proxy_cache[name]
        requested_at, value = self._data_cache.get(name, (-1, None))
        return value if requested_at == self.peer.request_count else self._request_value(name)

    def capture_locked_data(self, names: Iterable[str]) -> None:
        """Copy the data that a locked cell has computed, before a student's cell can change it, if the reference's tests have read it."""
        self._capture_data(self.usage.locked_data.intersection(names))

    def _capture_data(self, names: Set[str]) -> None:
        if not self.usage.captures_locked_data:
            return
        for name in sorted(names - self.helpers.keys()):
            with suppress(ValueError):  # it is too large to be sent
                is_bound, value, _ = decode_lookup(self.peer.request("lookup-name", name))
                if is_bound and _is_data(value):
                    # A copy, because the value itself is updated when the notebook changes it.
                    self.helpers.capture(name, copy.deepcopy(value))

    def _uses_helper(self, name: str) -> bool:
        """Return whether the judge's function or data is used instead of the notebook's."""
        return name in (self.usage.locked_data if name in self.helpers.captured_names else self.usage.test_helpers)

    def _may_be_shadowed(self, name: str) -> bool:
        """Return whether the notebook may have bound the name of a builtin."""
        return name in self.usage.shadowed_builtins

    def _request_value(self, name: str) -> Any:
        if self._bound_cache.get(name) is False:
            raise KeyError(name)
        if name in self.locked_names:
            is_bound, value, is_changed = decode_lookup(self.peer.request("lookup-locked-name", name))
            import_path = None
            if is_changed is True:
                self.peer.contract.observations.record_helper_change(name)
        else:
            is_bound, value, import_path = decode_lookup(self.peer.request("lookup-name", name))
        self._bound_cache[name] = is_bound
        if not is_bound:
            raise KeyError(name)
        self.peer.contract.admit_received_value(value)
        if self._record_value(name, import_path):
            return importable_objects.import_object(*self.usage.library_names[name])
        if type(value) is ProxyMeta or type(type(value)) is ProxyMeta or isinstance(value, type):
            self._proxy_cache[name] = value
        else:
            self._data_cache[name] = (self.peer.request_count, value)
        return value

    def _record_value(self, name: str, import_path: Any) -> bool:
        """Called with the value of a name. Returns whether the judge uses its own import of it instead."""
        return False

    def has_name(self, name: str) -> bool:
        """Return whether the notebook has bound a name."""
        if name not in self._bound_cache:
            self._bound_cache[name] = self.peer.request("is-name-bound", name) is True
        return self._bound_cache[name]

    def forget(self, name: str) -> None:
        """Forget a cached name."""
        for cache in (self._proxy_cache, self._data_cache, self._bound_cache):
            cache.pop(name, None)

    def unbind(self, name: str) -> bool:
        """Delete a name of the notebook. Returns whether it existed."""
        return self.peer.request("unbind-name", name) is True

    def list_bound_names(self) -> list[str]:
        """Return the names that the notebook has bound."""
        return decode_names(self.peer.request("list-names"))


def _is_data(value: Any) -> bool:
    """Return whether a value and everything in it was copied."""
    if type(value) in (list, tuple, set, frozenset, dict):
        return all(map(_is_data, (*value, *value.values()) if type(value) is dict else value))
    return not (is_proxy(value) or isinstance(value, type) or callable(value))


def decode_lookup(reply: Any) -> tuple[bool, Any, Any]:
    """Return whether a name is bound, its value, and where it was imported from or, for a name of a locked cell, whether it was changed."""
    if type(reply) is not tuple or len(reply) != 3:
        return False, None, None
    return reply[0] is True, reply[1], reply[2]
