"""Saves the data of the lesson's modules before the student's code runs, and restores it: global values of plain types and containers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from types import ModuleType
from typing import Any

_type = type
_PLAIN_TYPES = (int, float, complex, str, bytes, bool, type(None))
_SEQUENCE_TYPES = (list, tuple, set, frozenset)
# More values in one global value are neither saved nor restored.
MAX_VALUES = 10_000
_ABSENT = object()


class _NotPlainData(Exception):
    """The value contains something else than plain data, or too much of it."""


class ModuleData:
    """The data of modules, by "module.name".

    changed_by_reference: names that the notebook may change. is_recording: restore nothing, and add changed names to `recorded_changes`.
    """

    def __init__(
        self, modules: Iterable[ModuleType], changed_by_reference: Collection[str] = (), *, is_recording: bool = False
    ) -> None:
        self._is_recording = is_recording
        self._saved: dict[str, tuple[dict[str, Any], str, Any, Any]] = {}
        for module in modules:
            for name, value in vars(module).items():
                full_name = f"{module.__name__}.{name}"
                if full_name not in changed_by_reference and not name.startswith("__") and _is_plain_data(value):
                    self._saved[full_name] = vars(module), name, value, _copy_data(value, [MAX_VALUES])
        self.recorded_changes: set[str] = set()

    def restore(self) -> Iterator[str]:
        """Restore the data. Yields the name of each value that had changed."""
        for full_name, (live, name, original, saved) in self._saved.items():
            current = live.get(name, _ABSENT)
            if _is_plain_data(current) and _type(current) is _type(saved) and current == saved:
                continue
            if self._is_recording:
                self.recorded_changes.add(full_name)
                continue
            live[name] = _refill(original, saved)
            yield full_name


def _is_plain_data(value: object) -> bool:
    try:
        _copy_data(value, [MAX_VALUES])
    except _NotPlainData:
        return False
    return True


def _copy_data(value: Any, remaining: list[int]) -> Any:
    """Return a copy with copies of all containers. Raises `_NotPlainData`."""
    remaining[0] -= 1
    class_ = _type(value)
    if remaining[0] < 0:
        raise _NotPlainData
    if any(class_ is plain_type for plain_type in _PLAIN_TYPES):
        return value
    if any(class_ is sequence_type for sequence_type in _SEQUENCE_TYPES):
        return class_([_copy_data(item, remaining) for item in value])
    if class_ is dict:
        return {_copy_data(key, remaining): _copy_data(item, remaining) for key, item in value.items()}
    raise _NotPlainData


def _refill(original: Any, saved: Any) -> Any:
    """Return the original object with the saved content: another name may refer to it."""
    content = _copy_data(saved, [MAX_VALUES])
    if _type(original) is list:
        original[:] = content
    elif _type(original) in (dict, set):
        original.clear()
        original.update(content)
    return original
