"""Resource limits of a grading: their names, units and ranges, who may request them, and which of them apply.

A limit is requested by the lesson's author (course.toml) and by the classroom (an instructor), and has a default in the hub's
settings. The classroom's value replaces the lesson's, and that replaces the hub's.

People write limits in seconds, MiB and counts (`LIMITS` has the names: `memory_mb`); the code counts in seconds, bytes and counts
(the fields of the two classes: `memory_bytes`). `from_display_units` and `to_display_units` convert.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True)
class Limit:
    """One limit, as people write it in course.toml, in requests and on the command line.

    field: name of the field of `RequestedLimits` and `EffectiveLimits`.
    minimum, maximum: range of the written value; a limit that may be a fraction must be greater than its minimum.
    unit_size: one written unit, counted in the field's unit (MiB to bytes: 1,048,576).
    """

    name: str
    field: str
    description: str
    minimum: int
    maximum: int
    is_whole: bool = True
    unit_size: int = 1


LIMITS = (
    Limit("cell_seconds", "cell_seconds", "seconds that one cell may run", 0, 600, is_whole=False),
    Limit(
        "submission_seconds", "submission_seconds", "seconds that a whole submission may run", 0, 3600, is_whole=False
    ),
    Limit("memory_mb", "memory_bytes", "MiB of memory", 64, 65536, unit_size=MIB),
    Limit("processes", "processes", "processes and threads", 1, 4096),
    Limit("output_mb", "output_bytes", "MiB that one cell may print", 0, 64, is_whole=False, unit_size=MIB),
    Limit("file_mb", "file_bytes", "MiB of a file, and of each writable folder", 1, 4096, unit_size=MIB),
)
LIMITS_BY_NAME = {limit.name: limit for limit in LIMITS}


@dataclass(frozen=True)
class RequestedLimits:
    """Limits that an author or a classroom requests; None: no request. Seconds of wall time, bytes, counts.

    `output_bytes` limits the output of one cell, `file_bytes` the size of a file and of each writable folder.
    """

    cell_seconds: float | None = None
    submission_seconds: float | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    output_bytes: int | None = None
    file_bytes: int | None = None

    @classmethod
    def from_display_units(cls, values: Mapping[str, float | None]) -> RequestedLimits:
        """Read values by the names and in the units of `LIMITS`. Does not check ranges; a missing name requests nothing."""
        fields: dict[str, Any] = {limit.field: _to_field_unit(limit, values.get(limit.name)) for limit in LIMITS}
        return cls(**fields)

    def to_display_units(self) -> dict[str, float | None]:
        """Return the values by the names and in the units of `LIMITS`."""
        return _to_display_units(asdict(self))

    def find_contradiction(self) -> str | None:
        """Return a clause that describes the problem if one cell has more time than the whole notebook."""
        if self.cell_seconds and self.submission_seconds and self.cell_seconds > self.submission_seconds:
            return (
                f"one cell may run {self.cell_seconds:g} s, and the whole notebook only {self.submission_seconds:g} s"
            )
        return None

    def fill_in(self, defaults: RequestedLimits) -> RequestedLimits:
        """Return these limits, and those of `defaults` where none is requested here."""
        return replace(defaults, **_collect_requested_values(self))


@dataclass(frozen=True)
class EffectiveLimits:
    """Limits that apply to the grading of one submission. Units as in `RequestedLimits`; the defaults are those of a hub."""

    cell_seconds: float = 10.0
    submission_seconds: float = 60.0
    memory_bytes: int = 1024 * MIB
    processes: int = 64
    output_bytes: int = MIB
    file_bytes: int = 64 * MIB

    def apply(self, requested: RequestedLimits) -> EffectiveLimits:
        """Return these limits, replaced by the requested ones. A submission gets at least the time of one cell."""
        limits = replace(self, **_collect_requested_values(requested))
        return replace(limits, submission_seconds=max(limits.submission_seconds, limits.cell_seconds))

    def to_display_units(self) -> dict[str, float | None]:
        """Return the values by the names and in the units of `LIMITS`."""
        return _to_display_units(asdict(self))


def _collect_requested_values(requested: RequestedLimits) -> dict[str, Any]:
    return {name: value for name, value in asdict(requested).items() if value is not None}


def _to_field_unit(limit: Limit, value: float | None) -> float | None:
    if value is None or limit.unit_size == 1:
        return value
    return max(1, int(value * limit.unit_size))


def _to_display_units(values: Mapping[str, float | None]) -> dict[str, float | None]:
    return {limit.name: _to_display_unit(limit, values[limit.field]) for limit in LIMITS}


def _to_display_unit(limit: Limit, value: float | None) -> float | None:
    if value is None or limit.unit_size == 1:
        return value
    return int(value) // limit.unit_size if limit.is_whole else value / limit.unit_size
