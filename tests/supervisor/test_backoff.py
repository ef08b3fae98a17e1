from iacplatform.supervisor.backoff import GOOD_SECONDS, LONGEST_SECONDS, Backoff


def test_each_death_in_a_row_doubles_the_pause() -> None:
    backoff = Backoff()
    assert [backoff.after(0) for _ in range(4)] == [0.5, 1.0, 2.0, 4.0]


def test_the_pause_has_a_limit() -> None:
    assert Backoff(deaths=5000).after(0) == LONGEST_SECONDS


def test_a_good_minute_forgets_earlier_deaths() -> None:
    backoff = Backoff(deaths=7)
    assert backoff.after(GOOD_SECONDS) == 0.5
    assert backoff.deaths == 1
