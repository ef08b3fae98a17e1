"""Freeze windows: when a pool starts nothing new. Wall time in the window's own zone.

A window belongs to the days on which it starts; one that ends before it starts ends on the day after. A time that a
change of the clocks repeats counts the first time; one that it skips counts as if the clocks had not changed yet.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from iacplatform.base.problems import Problem

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIELDS = {"days", "start", "end", "timezone"}

Window = Mapping[str, Any]

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")  # \d would take the digits of every script
_SAMPLE_WEEKS = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC))  # winter and summer time
_FURTHEST = timedelta(days=14)


class NotFrozen(Problem):
    """No freeze window is open."""

    code = "not_frozen"


class OutOfWindow(Problem):
    """A pool can be unfrozen for the window that is open, not for times before or after it."""

    code = "out_of_window"


def is_frozen(windows: Sequence[Window], now: datetime) -> bool:
    """Return whether `now` is within one of the windows."""
    return any(start <= now < end for window in windows for start, end in _around(window, now))


def frozen_until(windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return when the freeze that holds at `now` ends, windows that follow at once included; None: it is not frozen."""
    until = now
    while is_frozen(windows, until) and until - now < _FURTHEST:
        ends = (end for window in windows for start, end in _around(window, until) if start <= until < end)
        until = max(ends)
    return until if until > now else None


def next_start(windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return when a window opens next after `now`, also within another one; None: there are no windows."""
    days = [now + timedelta(days=day) for day in range(9)]
    starts = {start for window in windows for day in days for start, _ in _around(window, day)}
    return min((start for start in starts if start > now), default=None)


def thaw_until(windows: Sequence[Window], until: datetime | None, now: datetime) -> datetime:
    """Return until when windows may be ignored from `now` on; `until` None: to the end of the one that is open.

    Raises `NotFrozen` where none is open, `OutOfWindow` for a time that is over, or later than that end.
    """
    end = frozen_until(windows, now)
    if end is None:
        raise NotFrozen("No freeze window of the pool is open: there is nothing to unfreeze.")
    if until is not None and not now < until <= end:
        raise OutOfWindow(
            f"The pool can be unfrozen until {end:%Y-%m-%d %H:%M} UTC at the latest, when its freeze window ends, and "
            f"not until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC. Give a time between now and then, or none."
        )
    return until or end


def _around(window: Window, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield when the window begins and ends on each of the days around `now`, in UTC."""
    zone = ZoneInfo(window["timezone"])
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        if DAYS[day.weekday()] in window["days"]:
            yield _on(window, day, zone)


def _on(window: Window, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start, end = (time.fromisoformat(window[edge]) for edge in ("start", "end"))
    last = day + timedelta(days=1) if end <= start else day
    edges = (datetime.combine(day, start, zone), datetime.combine(last, end, zone))
    return edges[0].astimezone(UTC), edges[1].astimezone(UTC)


def validate(windows: Any) -> None:
    """Raise unless `windows` is a list of `{"days", "start", "end", "timezone"}` as in the contract."""
    if not isinstance(windows, list) or len(windows) > 50:
        raise ValidationError("Give a list of at most 50 windows.")
    for number, window in enumerate(windows, start=1):
        if fault := _fault(window):
            raise ValidationError(f"Window {number}: {fault}")
    if any(_covers(windows, monday) for monday in _SAMPLE_WEEKS):
        raise ValidationError("Together the windows cover the whole week: nothing could ever start. Leave a gap.")


def _covers(windows: Sequence[Window], monday: datetime) -> bool:
    """Return whether a week has no gap: then a window goes on wherever another one ends."""
    moments = [monday + timedelta(days=day) for day in range(7)]
    ends = {end for window in windows for moment in moments for _, end in _around(window, moment)}
    return bool(windows) and all(is_frozen(windows, end) for end in ends)


def _fault(window: Any) -> str:
    if not isinstance(window, dict) or window.keys() != FIELDS:
        return "give exactly days, start, end and timezone."
    days = window["days"]
    if not isinstance(days, list) or not days or not all(day in DAYS for day in days):
        return f"days is a list of {', '.join(DAYS)}."
    return _time_fault(window)


def _time_fault(window: dict[str, Any]) -> str:
    edges = [window["start"], window["end"]]
    if not all(isinstance(edge, str) and _TIME.fullmatch(edge) for edge in edges):
        return 'start and end are times such as "22:00".'
    try:
        ZoneInfo(window["timezone"])
    except (TypeError, ValueError, OSError, KeyError):
        return 'timezone is an IANA name such as "Europe/Berlin".'
    return "start and end are the same time." if edges[0] == edges[1] else ""
