"""From a classroom's wall time to UTC.

Schedules keep wall time and zone, because "Friday 18:00" must stay Friday 18:00 when a government moves its clocks.
Requirements: every wall time has exactly one moment. Choices: a time that a clock skips (spring) means the moment
after the gap, as far behind it as the time was into it; a time that a clock shows twice (autumn) means the earlier for opening and
the later for due and closing, so that doubt is always the student's gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from pmh_jupyter.domain.course import Schedule
from pmh_jupyter.errors import BadInput


@dataclass(frozen=True)
class LocalSchedule:
    """When an assignment opens, is due and closes, as naive wall times of an IANA zone; None: never."""

    time_zone: str
    opens: datetime | None = None
    due: datetime | None = None
    closes: datetime | None = None


def load_time_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; raises BadInput for one that does not exist."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(
            f"{name!r} is not a time zone.", advice="Use an IANA name, for example Europe/Zurich or UTC."
        ) from error


def to_utc(wall_time: datetime, time_zone: str, *, prefer_later: bool) -> datetime:
    """The moment at which clocks in the zone show the naive `wall`; `later` chooses the second of two."""
    if wall_time.tzinfo is not None:
        raise ValueError("a wall time has no zone of its own")
    # In a gap, the offset from before it (fold=0) gives the moment as far behind the gap as the time was into it.
    first, second = (wall_time.replace(tzinfo=load_time_zone(time_zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(first, second) if prefer_later or _in_gap(wall_time, time_zone) else min(first, second)


def _in_gap(wall_time: datetime, time_zone: str) -> bool:
    round_trip = (
        wall_time.replace(tzinfo=load_time_zone(time_zone)).astimezone(UTC).astimezone(load_time_zone(time_zone))
    )
    return round_trip.replace(tzinfo=None) != wall_time


def to_utc_schedule(local_schedule: LocalSchedule) -> Schedule:
    """The schedule in UTC."""
    return Schedule(
        opens_at=local_schedule.opens and to_utc(local_schedule.opens, local_schedule.time_zone, prefer_later=False),
        due_at=local_schedule.due and to_utc(local_schedule.due, local_schedule.time_zone, prefer_later=True),
        closes_at=local_schedule.closes and to_utc(local_schedule.closes, local_schedule.time_zone, prefer_later=True),
    )


def local_day(moment: datetime, time_zone: str) -> date:
    """The day on which the moment falls in the zone: what a streak counts."""
    return moment.astimezone(load_time_zone(time_zone)).date()
