"""Wall time to UTC: table of the subtle cases, and that every wall time has one moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmh_jupyter.domain.course import Schedule
from pmh_jupyter.domain.deadlines import LocalSchedule, load_time_zone, local_day, to_utc, to_utc_schedule
from pmh_jupyter.errors import BadInput

ZURICH = "Europe/Zurich"


@pytest.mark.parametrize(
    ("wall", "earlier", "later"),
    [
        # winter and summer
        (datetime(2026, 1, 9, 18), datetime(2026, 1, 9, 17), datetime(2026, 1, 9, 17)),
        (datetime(2026, 7, 3, 18), datetime(2026, 7, 3, 16), datetime(2026, 7, 3, 16)),
        # 02:30 does not exist on 29 March: half an hour into the gap is half an hour after it
        (datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 1, 30)),
        (datetime(2026, 3, 29, 3), datetime(2026, 3, 29, 1), datetime(2026, 3, 29, 1)),
        # 02:30 comes twice on 25 October
        (datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 0, 30), datetime(2026, 10, 25, 1, 30)),
    ],
)
def test_wall_times(wall: datetime, earlier: datetime, later: datetime) -> None:
    assert to_utc(wall, ZURICH, prefer_later=False) == earlier.replace(tzinfo=UTC)
    assert to_utc(wall, ZURICH, prefer_later=True) == later.replace(tzinfo=UTC)


def test_doubt_is_the_students_gain() -> None:
    twice = datetime(2026, 10, 25, 2, 30)
    made = to_utc_schedule(LocalSchedule(ZURICH, opens=twice, due=twice, closes=twice))
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert made == Schedule(opens_at=first, due_at=second, closes_at=second)


def test_never_stays_never() -> None:
    assert to_utc_schedule(LocalSchedule(ZURICH)) == Schedule()


@given(
    wall=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    name=st.sampled_from([ZURICH, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_what_clocks_show_is_what_was_said(wall: datetime, name: str) -> None:
    for later in (False, True):
        moment = to_utc(wall, name, prefer_later=later)
        shown = moment.astimezone(load_time_zone(name)).replace(tzinfo=None)
        assert timedelta(0) <= shown - wall <= timedelta(hours=1)
    assert to_utc(wall, name, prefer_later=False) <= to_utc(wall, name, prefer_later=True)


def test_a_day_is_the_classrooms() -> None:
    moment = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert local_day(moment, ZURICH) == date(2026, 3, 3)
    assert local_day(moment, "America/New_York") == date(2026, 3, 2)


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_zones_that_do_not_exist(name: str) -> None:
    with pytest.raises(BadInput, match="not a time zone"):
        load_time_zone(name)


def test_a_wall_time_has_no_zone() -> None:
    with pytest.raises(ValueError, match="no zone"):
        to_utc(datetime(2026, 1, 1, tzinfo=UTC), ZURICH, prefer_later=True)
