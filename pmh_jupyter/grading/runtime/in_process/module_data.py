"""Saves the data of the lesson's modules before the student's code runs, and restores it: global values of plain types and containers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from types import ModuleType
from typing import Any

from pmh_jupyter.grading.runtime.marshalling.plain_data import NotPlainData, copy_plain_data

_type = type
_ABSENT = object()


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
                    self._saved[full_name] = vars(module), name, value, copy_plain_data(value)
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
        copy_plain_data(value)
    except NotPlainData:
        return False
    return True


def _refill(original: Any, saved: Any) -> Any:
    """Return the original object with the saved content: another name may refer to it."""
    content = copy_plain_data(saved)
    if _type(original) is list:
        original[:] = content
    elif _type(original) in (dict, set):
        original.clear()
        original.update(content)
    return original
