"""Wall times in UTC: a table of the subtle cases, and a property of all wall times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmh_jupyter.domain.course import Schedule
from pmh_jupyter.domain.deadlines import (
    LocalSchedule,
    format_local_time,
    load_time_zone,
    to_local_day,
    to_utc,
    to_utc_schedule,
)
from pmh_jupyter.errors import BadInput

ZURICH = "Europe/Zurich"


@pytest.mark.parametrize(
    ("wall_time", "earlier", "later"),
    [
        pytest.param(datetime(2026, 1, 9, 18), datetime(2026, 1, 9, 17), datetime(2026, 1, 9, 17), id="winter"),
        pytest.param(datetime(2026, 7, 3, 18), datetime(2026, 7, 3, 16), datetime(2026, 7, 3, 16), id="summer"),
        pytest.param(
            datetime(2026, 3, 29, 2, 30),
            datetime(2026, 3, 29, 1, 30),
            datetime(2026, 3, 29, 1, 30),
            id="skipped hour is moved forward",
        ),
        pytest.param(
            datetime(2026, 3, 29, 3), datetime(2026, 3, 29, 1), datetime(2026, 3, 29, 1), id="end of the skipped hour"
        ),
        pytest.param(
            datetime(2026, 10, 25, 2, 30),
            datetime(2026, 10, 25, 0, 30),
            datetime(2026, 10, 25, 1, 30),
            id="ambiguous hour",
        ),
    ],
)
def test_wall_time_is_converted_to_utc(wall_time: datetime, earlier: datetime, later: datetime) -> None:
    assert to_utc(wall_time, ZURICH, prefer_later=False) == earlier.replace(tzinfo=UTC)
    assert to_utc(wall_time, ZURICH, prefer_later=True) == later.replace(tzinfo=UTC)


def test_ambiguous_times_favor_the_student() -> None:
    ambiguous = datetime(2026, 10, 25, 2, 30)
    schedule = to_utc_schedule(LocalSchedule(ZURICH, opens_at=ambiguous, due_at=ambiguous, closes_at=ambiguous))
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert schedule == Schedule(opens_at=first, due_at=second, closes_at=second)


def test_missing_times_stay_missing() -> None:
    assert to_utc_schedule(LocalSchedule(ZURICH)) == Schedule()


@given(
    wall_time=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    name=st.sampled_from([ZURICH, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_converted_time_shows_the_wall_time_or_at_most_an_hour_more(wall_time: datetime, name: str) -> None:
    for later in (False, True):
        moment = to_utc(wall_time, name, prefer_later=later)
        displayed = moment.astimezone(load_time_zone(name)).replace(tzinfo=None)
        assert timedelta(0) <= displayed - wall_time <= timedelta(hours=1)
    assert to_utc(wall_time, name, prefer_later=False) <= to_utc(wall_time, name, prefer_later=True)


def test_day_is_that_of_the_time_zone() -> None:
    moment = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert to_local_day(moment, ZURICH) == date(2026, 3, 3)
    assert to_local_day(moment, "America/New_York") == date(2026, 3, 2)


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_unknown_time_zone_is_rejected(name: str) -> None:
    with pytest.raises(BadInput, match="not a time zone"):
        load_time_zone(name)


def test_aware_wall_time_raises_value_error() -> None:
    with pytest.raises(ValueError, match="must be naive"):
        to_utc(datetime(2026, 1, 1, tzinfo=UTC), ZURICH, prefer_later=True)


@pytest.mark.parametrize(
    ("moment", "time_zone", "expected"),
    [
        (datetime(2026, 1, 31, 23, 30, tzinfo=UTC), "Europe/Zurich", "Sun 1 Feb 2026, 00:30"),
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), "America/New_York", "Wed 1 Jul 2026, 08:00"),
        (datetime(2026, 7, 1, 12, 0), "UTC", "Wed 1 Jul 2026, 12:00"),
    ],
)
def test_times_are_formatted_in_the_time_zone(moment: datetime, time_zone: str, expected: str) -> None:
    assert format_local_time(moment, time_zone) == expected
