"""Times as people say them. The exact one stands beside, on hover."""

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86400
_A_MOMENT_SECONDS = 5


def span(seconds: float) -> str:
    """Return a length of time with at most two units, e.g. `0.4 s`, `31 s`, `4 min`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    if seconds < MINUTE:
        return f"{int(seconds)} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    large, small, names = (HOUR, MINUTE, ("h", "min")) if seconds < DAY else (DAY, HOUR, ("d", "h"))
    rest = int(seconds % large // small)
    return f"{int(seconds // large)} {names[0]}" + (f" {rest} {names[1]}" if rest else "")


def relative(moment: datetime, now: datetime) -> str:
    """Return how far `moment` is from `now`, e.g. `4 min ago` or `in 56 min`."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < _A_MOMENT_SECONDS:
        return "just now" if seconds >= 0 else "in a moment"
    words = f"{abs(seconds):.0f} s" if abs(seconds) < 10 else span(abs(seconds))
    return f"{words} ago" if seconds > 0 else f"in {words}"


def age(moment: datetime, now: datetime) -> str:
    """Return for how long it has been so, to be read after the word "for", e.g. `13 s`, `2 h 5 min` or `a moment`."""
    seconds = (now - moment).total_seconds()
    if seconds < _A_MOMENT_SECONDS:
        return "a moment"
    return f"{seconds:.0f} s" if seconds < 10 else span(seconds)


def exact(moment: datetime) -> str:
    """Return the moment to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
