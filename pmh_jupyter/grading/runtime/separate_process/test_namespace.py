"""Resolves the names that test cells use.

In this order: names that the test cells bind; test helpers; libraries that the reference solution has bound to the name, if the student's
notebook binds it too; builtins, unless the reference shadows them; names of the student's notebook.
"""

from __future__ import annotations

import builtins
import copy
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from pmh_jupyter.grading.runtime.proxies import importable_objects
from pmh_jupyter.grading.runtime.proxies.marshaller import NeverMarshalled
from pmh_jupyter.grading.runtime.proxies.proxies import ProxyMeta, is_proxy
from pmh_jupyter.grading.runtime.separate_process.judge_peer import JudgePeer
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

    def __init__(self, peer: JudgePeer, usage: TestUsage, helpers: TestHelpers, *, is_recording: bool) -> None:
        self.peer, self.usage, self.helpers, self.is_recording = peer, usage, helpers, is_recording
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
        if name in self.usage.library_names and (is_builtin or self._is_bound_in_notebook(name)):
            return importable_objects.import_object(*self.usage.library_names[name])
        if name.startswith("__") or (is_builtin and not self.is_recording and name not in self.usage.shadowed_builtins):
            raise KeyError(name)
        if name in self._proxy_cache:
            return self._proxy_cache[name]
        requested_at, value = self._data_cache.get(name, (-1, None))
        return value if requested_at == self.peer.request_count else self._request_value(name, is_builtin)

    def capture_locked_data(self, names: Iterable[str]) -> None:
        """Copy the data that a locked cell has computed, before a student's cell can change it.

        While the reference runs, all data is copied; for submissions, only the data that the reference's tests have read.
        """
        if not self.usage.captures_locked_data:
            return
        wanted_names = set(names) if self.is_recording else self.usage.locked_data.intersection(names)
        for name in sorted(wanted_names - self.helpers.keys()):
            with suppress(ValueError):  # it is too large to be sent
                is_bound, value, _ = _decode_lookup(self.peer.request("lookup-name", name))
                if is_bound and _is_data(value):
                    # A copy, because the value itself is updated when the notebook changes it.
                    self.helpers.capture(name, copy.deepcopy(value))

    def _uses_helper(self, name: str) -> bool:
        """Return whether the judge's function or data is used instead of the notebook's. While the reference runs, record it."""
        names = self.usage.locked_data if name in self.helpers.captured_names else self.usage.test_helpers
        if self.is_recording and name in self.helpers.data_names:
            if self._is_changed_by_reference(name):
                names.discard(name)
                self.helpers.forget(name)
                self.usage.rebound_names.add(name)  # a submission may bind it again instead of changing it
                return False
            if name in self.helpers.captured_names:
                names.add(name)
        return name in names

    def _is_changed_by_reference(self, name: str) -> bool:
        """Return whether the reference has changed data of a locked cell. If so, the notebook's data is used, here and for submissions."""
        _, value, _ = _decode_lookup(self.peer.request("lookup-name", name))
        return not self.peer.replicas.has_same_content(value, self.helpers[name])

    def _request_value(self, name: str, is_builtin: bool) -> Any:
        if self._bound_cache.get(name) is False:
            raise KeyError(name)
        if name in self.locked_names:
            is_bound, value, is_changed = _decode_lookup(self.peer.request("lookup-locked-name", name))
            import_path = None
            if is_changed is True:
                self.peer.contract.record_helper_change(name)
        else:
            is_bound, value, import_path = _decode_lookup(self.peer.request("lookup-name", name))
        self._bound_cache[name] = is_bound
        if not is_bound:
            raise KeyError(name)
        self.peer.check_received_value(value)
        if self.is_recording and import_path is not None and self._record_import(name, import_path):
            return importable_objects.import_object(*self.usage.library_names[name])
        if self.is_recording and is_builtin:
            self.usage.shadowed_builtins.add(name)
        if type(value) is ProxyMeta or type(type(value)) is ProxyMeta or isinstance(value, type):
            self._proxy_cache[name] = value
        else:
            self._data_cache[name] = (self.peer.request_count, value)
        return value

    def _record_import(self, name: str, import_path: Any) -> bool:
        """Record a library name of the reference, if this process can import it."""
        module, path = import_path
        if module in importable_objects.STATEFUL_MODULES:
            return False
        try:
            importable_objects.import_object(module, path)
        except (ImportError, AttributeError):
            return False
        self.usage.library_names[name] = (module, path)
        return True

    def _is_bound_in_notebook(self, name: str) -> bool:
        if name not in self._bound_cache:
            self._bound_cache[name] = self.peer.request("is-name-bound", name) is True
        return self._bound_cache[name]

    def has_name(self, name: str) -> bool:
        """Return whether the notebook has bound a name."""
        return self._is_bound_in_notebook(name)

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


def _decode_lookup(reply: Any) -> tuple[bool, Any, Any]:
    if type(reply) is not tuple or len(reply) != 3:
        return False, None, None
    return reply[0] is True, reply[1], reply[2]
