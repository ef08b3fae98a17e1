"""Freeze windows in words, and when the next one begins and ends."""

from dataclasses import dataclass
from datetime import datetime

from pools import freeze
from pools.models import Pool

NAMES = dict(zip(freeze.DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))


@dataclass(frozen=True, kw_only=True)
class Windows:
    """`until`: when the freeze that holds ends; `unfrozen_until`: until when windows are ignored.

    `begins`, `ends`: the next one. Each is None where there is no such moment.
    """

    sentences: list[str]
    until: datetime | None
    unfrozen_until: datetime | None
    begins: datetime | None
    ends: datetime | None


def of(pool: Pool, now: datetime) -> Windows:
    """Return the pool's windows as they are at `now`."""
    until = pool.frozen_until(now)
    unfrozen = pool.unfrozen_until if pool.unfrozen_until and pool.unfrozen_until > now else None
    begins = freeze.next_start(pool.freeze_windows, until or unfrozen or now)
    return Windows(
        sentences=[sentence(window) for window in pool.freeze_windows],
        until=until,
        unfrozen_until=unfrozen,
        begins=begins,
        ends=freeze.frozen_until(pool.freeze_windows, begins) if begins else None,
    )


def sentence(window: freeze.Window) -> str:
    """Return the window in words, e.g. `Mon–Fri 22:00 to 06:00 the next day, Asia/Shanghai`."""
    over = " the next day" if window["end"] <= window["start"] else ""
    return f"{_days(window['days'])} {window['start']} to {window['end']}{over}, {window['timezone']}"


def _days(days: list[str]) -> str:
    numbers = sorted({freeze.DAYS.index(day) for day in days})
    if len(numbers) == len(freeze.DAYS):
        return "Every day"
    return ", ".join(_run(run) for run in _runs(numbers))


def _runs(numbers: list[int]) -> list[list[int]]:
    """Return the numbers as runs of neighbours."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _run(run: list[int]) -> str:
    names = [NAMES[freeze.DAYS[number]] for number in run]
    return f"{names[0]}–{names[-1]}" if len(names) > 2 else ", ".join(names)
