"""Freeze windows: when a pool starts nothing new. Wall time in the window's own zone."""

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIELDS = {"days", "start", "end", "timezone"}


def validate(windows: Any) -> None:
    """Raise unless `windows` is a list of `{"days", "start", "end", "timezone"}` as in the contract."""
    if not isinstance(windows, list) or len(windows) > 50:
        raise ValidationError("Give a list of at most 50 windows.")
    for number, window in enumerate(windows, start=1):
        if fault := _fault(window):
            raise ValidationError(f"Window {number}: {fault}")


def _fault(window: Any) -> str:
    if not isinstance(window, dict) or window.keys() != FIELDS:
        return "give exactly days, start, end and timezone."
    days = window["days"]
    if not isinstance(days, list) or not days or not all(day in DAYS for day in days):
        return f"days is a list of {', '.join(DAYS)}."
    return _time_fault(window)


def _time_fault(window: dict[str, Any]) -> str:
    try:
        start, end = (time.fromisoformat(window[edge]) for edge in ("start", "end"))
        ZoneInfo(window["timezone"])
    except (TypeError, ValueError, OSError, KeyError):
        return 'start and end are times such as "22:00", timezone an IANA name such as "Europe/Berlin".'
    return "start and end are the same time." if start == end else ""
