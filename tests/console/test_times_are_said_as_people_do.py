"""Times on pages."""

from datetime import UTC, datetime, timedelta

import pytest

from iacplatform.console import times

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.41, "0.4 s"),
        (31, "31 s"),
        (240, "4 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (273600, "3 d 4 h"),
        (-1, "0.0 s"),
    ],
)
def test_a_span_has_at_most_two_units(seconds: float, words: str) -> None:
    assert times.span(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-240, "4 min ago"), (3360, "in 56 min"), (-2, "just now"), (2, "in a moment"), (-7.4, "7 s ago")],
)
def test_a_moment_is_told_from_now(seconds: float, words: str) -> None:
    assert times.relative(NOW + timedelta(seconds=seconds), NOW) == words


@pytest.mark.parametrize(("seconds", "words"), [(2, "a moment"), (7.4, "7 s"), (13, "13 s"), (7500, "2 h 5 min")])
def test_an_age_can_be_read_after_the_word_for(seconds: float, words: str) -> None:
    assert times.age(NOW - timedelta(seconds=seconds), NOW) == words
