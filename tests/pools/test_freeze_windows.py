"""Freeze windows: wall time in their own zone, over midnight and over changes of the clocks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from pools import freeze

ALL = list(freeze.DAYS)


def window(days: Any, start: Any, end: Any, timezone: Any = "UTC") -> dict[str, Any]:
    """Return a window as the contract has it."""
    return {"days": days, "start": start, "end": end, "timezone": timezone}


def at(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHT = window(["mon"], "22:00", "06:00")  # from Monday 2026-11-23 22:00 to Tuesday 06:00


@pytest.mark.parametrize(
    ("moment", "frozen"),
    [
        ("2026-11-23T21:59:59", False),
        ("2026-11-23T22:00", True),
        ("2026-11-24T05:59:59", True),
        ("2026-11-24T06:00", False),
        ("2026-11-24T22:30", False),
        ("2026-11-23T05:00", False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_starts_on(moment: str, frozen: bool) -> None:
    assert freeze.is_frozen([NIGHT], at(moment)) is frozen


def test_wall_time_is_that_of_the_windows_zone() -> None:
    shanghai = window(["mon"], "22:00", "23:00", "Asia/Shanghai")  # 14:00 to 15:00 UTC
    assert [freeze.is_frozen([shanghai], at(f"2026-11-23T{hour}:30")) for hour in ("13", "14", "15")] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("moment", "frozen"), [("2026-03-28T08:30", True), ("2026-03-29T07:30", True), ("2026-03-29T08:30", False)]
)
def test_the_hour_moves_with_the_clocks(moment: str, frozen: bool) -> None:
    """Berlin is an hour ahead of UTC on 28 March 2026, and two hours on the 29th."""
    morning = window(ALL, "09:00", "10:00", "Europe/Berlin")
    assert freeze.is_frozen([morning], at(moment)) is frozen


def test_an_hour_that_comes_twice_is_frozen_once() -> None:
    """On 25 October 2026 Berlin has 02:30 at 00:30 UTC and again at 01:30 UTC."""
    early = window(ALL, "02:00", "03:00", "Europe/Berlin")
    hours = [at("2026-10-24T23:59"), at("2026-10-25T00:00"), at("2026-10-25T01:59"), at("2026-10-25T02:00")]
    assert [freeze.is_frozen([early], moment) for moment in hours] == [False, True, True, False]


def test_an_hour_that_never_comes_keeps_its_length() -> None:
    """On 29 March 2026 Berlin has no 02:30: the clocks go from 02:00 to 03:00, at 01:00 UTC."""
    early = window(ALL, "01:00", "02:30", "Europe/Berlin")
    assert [freeze.is_frozen([early], at(f"2026-03-29T{time}")) for time in ("00:00", "01:29", "01:30")] == [
        True,
        True,
        False,
    ]


def test_the_end_of_a_freeze_includes_windows_that_follow_at_once() -> None:
    windows = [NIGHT, window(["tue"], "06:00", "08:00"), window(["tue"], "09:00", "10:00")]
    assert freeze.frozen_until(windows, at("2026-11-23T23:00")) == at("2026-11-24T08:00")
    assert freeze.frozen_until(windows, at("2026-11-24T08:30")) is None


def test_a_night_in_which_the_clocks_change_ends_in_the_morning_as_every_night() -> None:
    """Berlin: 22:00 to 06:00 is nine hours from 24 October 2026, and seven from 28 March."""
    nights = window(ALL, "22:00", "06:00", "Europe/Berlin")
    assert freeze.frozen_until([nights], at("2026-10-24T21:00")) == at("2026-10-25T05:00")
    assert freeze.frozen_until([nights], at("2026-03-28T22:00")) == at("2026-03-29T04:00")
    assert not freeze.is_frozen([nights], at("2026-10-24T19:59"))
    assert freeze.is_frozen([nights], at("2026-10-24T20:00"))


def test_a_window_that_ends_at_midnight_ends_with_its_day() -> None:
    evening = window(["mon"], "22:00", "00:00")
    assert freeze.frozen_until([evening], at("2026-11-23T23:59")) == at("2026-11-24T00:00")


def test_windows_of_several_zones_are_one_freeze_where_they_overlap() -> None:
    """Monday 22:00 UTC to Tuesday 06:00, and from Tuesday 05:00 UTC (14:00 in Tokyo) to 08:00."""
    windows = [NIGHT, window(["tue"], "14:00", "17:00", "Asia/Tokyo")]
    assert freeze.frozen_until(windows, at("2026-11-23T22:00")) == at("2026-11-24T08:00")


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
WINDOWS = st.lists(
    st.builds(window, st.lists(st.sampled_from(ALL), min_size=1, unique=True), TIMES, TIMES, ZONES).filter(
        lambda each: each["start"] != each["end"]
    ),
    min_size=1,
    max_size=4,
)
HALF_AN_HOUR = timedelta(minutes=30)


@given(WINDOWS, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
def test_a_freeze_lasts_until_its_end_and_no_longer(windows: list[dict[str, Any]], now: datetime) -> None:
    until = freeze.frozen_until(windows, now)
    assert (until is not None) == freeze.is_frozen(windows, now)
    if until is not None and until - now < timedelta(days=14):  # the windows may cover the week
        assert not freeze.is_frozen(windows, until)
        steps = range((until - now) // HALF_AN_HOUR)
        assert all(freeze.is_frozen(windows, now + step * HALF_AN_HOUR) for step in steps)
        assert freeze.is_frozen(windows, until - timedelta(microseconds=1))


def test_without_windows_nothing_is_frozen() -> None:
    assert not freeze.is_frozen([], at("2026-11-23T23:00"))


@pytest.mark.parametrize(
    "windows",
    [
        "x",
        {},
        [5],
        [{}],
        [{**NIGHT, "extra": 1}],
        [window([], "22:00", "06:00")],
        [window(["monday"], "22:00", "06:00")],
        [window("mon", "22:00", "06:00")],
        [window([{}], "22:00", "06:00")],
        [window(["mon"], "22", "06:00")],
        [window(["mon"], "24:00", "06:00")],
        [window(["mon"], "1\u0663:00", "06:00")],
        [window(["mon"], "22:00+01:00", "06:00")],
        [window(["mon"], "22:00:00", "06:00")],
        [window(["mon"], 22, "06:00")],
        [window(["mon"], "06:00", "06:00")],
        [window(["mon"], "22:00", "06:00", "Mars/Base")],
        [window(["mon"], "22:00", "06:00", "../../etc/passwd")],
        [window(["mon"], "22:00", "06:00", "")],
        [window(["mon"], "22:00", "06:00", None)],
        [NIGHT] * 51,
        [window(ALL, "00:00", "12:00"), window(ALL, "12:00", "00:00")],
        [window(ALL, "00:00", "13:00"), window(ALL, "12:00", "01:00", "Europe/Berlin")],
    ],
)
def test_what_makes_no_sense_is_refused(windows: Any) -> None:
    with pytest.raises(ValidationError):
        freeze.validate(windows)


def test_a_gap_of_a_minute_is_enough() -> None:
    freeze.validate([window(ALL, "00:00", "12:00"), window(ALL, "12:01", "00:00")])
    freeze.validate([window(["mon"], "22:00", "21:59")])
    freeze.validate([])


@pytest.mark.parametrize(
    ("moment", "begins"),
    [
        ("2026-11-22T12:00", "2026-11-23T22:00"),
        ("2026-11-23T22:00", "2026-11-30T22:00"),
        ("2026-11-24T07:00", "2026-11-30T22:00"),
    ],
)
def test_the_next_window_is_known_before_it_opens(moment: str, begins: str) -> None:
    assert freeze.next_start([NIGHT], at(moment)) == at(begins)


def test_without_windows_none_opens() -> None:
    assert freeze.next_start([], at("2026-11-22T12:00")) is None
