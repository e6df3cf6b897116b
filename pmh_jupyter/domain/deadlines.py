"""Converts a classroom's wall times to UTC, and points in time to wall times.

Schedules store wall time and time zone, so that "Friday 18:00" stays Friday 18:00 when the rules of the zone change.

Requirement: every wall time has exactly one time in UTC.

Choices
- A wall time that the clock skips in spring is moved forward by the length of the gap.
- A wall time that occurs twice in autumn means the first for opening, and the second for due and closing, in favor of the student.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from pmh_jupyter.domain.course import Schedule
from pmh_jupyter.errors import BadInput


@dataclass(frozen=True)
class LocalSchedule:
    """When an assignment opens, is due and closes, as naive wall times in an IANA time zone; None: never."""

    time_zone: str
    opens_at: datetime | None = None
    due_at: datetime | None = None
    closes_at: datetime | None = None


def load_time_zone(name: str) -> ZoneInfo:
    """Return the time zone with an IANA name. Raises BadInput if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(
            f"{name!r} is not a time zone.", advice="Use an IANA name, for example Europe/Zurich or UTC."
        ) from error


def to_utc(wall_time: datetime, time_zone: str, *, prefer_later: bool) -> datetime:
    """Return the time in UTC at which clocks in the zone show the naive `wall_time`; the second one if `prefer_later` and there are two.

    Raises BadInput for an unknown zone, ValueError if `wall_time` has a time zone.
    """
    if wall_time.tzinfo is not None:
        raise ValueError("a wall time must be naive")
    # In a gap, the offset before it (fold=0) moves the time forward by the length of the gap.
    first, second = (wall_time.replace(tzinfo=load_time_zone(time_zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(first, second) if prefer_later or _is_in_gap(wall_time, time_zone) else min(first, second)


def _is_in_gap(wall_time: datetime, time_zone: str) -> bool:
    round_trip = (
        wall_time.replace(tzinfo=load_time_zone(time_zone)).astimezone(UTC).astimezone(load_time_zone(time_zone))
    )
    return round_trip.replace(tzinfo=None) != wall_time


def to_utc_schedule(local_schedule: LocalSchedule) -> Schedule:
    """Return the same schedule in UTC. Raises BadInput for an unknown zone."""
    return Schedule(
        opens_at=local_schedule.opens_at
        and to_utc(local_schedule.opens_at, local_schedule.time_zone, prefer_later=False),
        due_at=local_schedule.due_at and to_utc(local_schedule.due_at, local_schedule.time_zone, prefer_later=True),
        closes_at=local_schedule.closes_at
        and to_utc(local_schedule.closes_at, local_schedule.time_zone, prefer_later=True),
    )


def to_local_day(moment: datetime, time_zone: str) -> date:
    """Return the date of a point in time in the zone. Streaks count these."""
    return moment.astimezone(load_time_zone(time_zone)).date()


def format_local_time(moment: datetime, time_zone: str) -> str:
    """Format a point in time in the zone, e.g. "Fri 20 Nov 2026, 18:00". A time without zone (from SQLite) is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    local_moment = aware.astimezone(load_time_zone(time_zone))
    return f"{local_moment:%a} {local_moment.day} {local_moment:%b %Y, %H:%M}"
