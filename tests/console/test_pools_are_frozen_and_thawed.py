"""Freeze windows on a pool's page: in words, with the next one, and a button that lets new work start."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from iacplatform.base import clock
from iacplatform.console import windows
from pools.models import Pool
from tests import factories as rows
from tests.console import fleets, pages
from tests.console.conftest import browser

NIGHT = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "22:00", "end": "06:00", "timezone": "Asia/Shanghai"}


@pytest.fixture
def pool(db: Any) -> Pool:
    return fleets.pool()


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({}, "Mon–Fri 22:00 to 06:00 the next day, Asia/Shanghai"),
        ({"days": ["sun", "sat"], "start": "01:00", "timezone": "UTC"}, "Sat, Sun 01:00 to 06:00, UTC"),
        ({"days": ["mon", "wed", "thu", "fri"]}, "Mon, Wed–Fri 22:00 to 06:00 the next day, Asia/Shanghai"),
        ({"days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]}, "Every day 22:00 to 06:00 the next day, Asia"),
    ],
)
def test_a_window_is_said_as_people_say_it(window: dict[str, Any], sentence: str) -> None:
    assert windows.sentence({**NIGHT, **window}).startswith(sentence)


def test_the_next_window_is_known_with_its_end() -> None:
    sunday = datetime(2026, 11, 22, 12, tzinfo=UTC)
    known = windows.of(Pool(freeze_windows=[NIGHT]), sunday)
    assert known.until is None
    assert known.begins == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert known.ends == datetime(2026, 11, 23, 22, tzinfo=UTC)


def test_a_frozen_pool_says_until_when_and_what_goes_on(console: Client, pool: Pool) -> None:
    end = fleets.open_window(pool)
    said = fleets.read(console.get(f"/pools/{pool.pk}"))
    assert "A freeze window is open: nothing new starts here. What runs goes on" in said
    assert f"at {end:%Y-%m-%d %H:%M}:00 UTC" in said
    assert "The next one begins in 2" in said


@pytest.mark.parametrize("kind", ["k8s", "static"])
def test_unfreezing_asks_for_how_long_and_lets_work_start(console: Client, pool: Pool, kind: str) -> None:
    frozen = pool if kind == "k8s" else Pool.objects.local()
    fleets.open_window(frozen)
    address = f"/pools/{frozen.pk}/unfreeze"
    fields = pages.forms(console.get(f"/pools/{frozen.pk}"))[address]
    answer = console.post(address, {**fields, "minutes": "30"}, follow=True)
    assert f"Pool {frozen.name} is unfrozen until" in pages.text(answer)
    assert "Unfrozen until" in pages.text(answer) and address not in pages.forms(answer)
    frozen.refresh_from_db()
    assert frozen.unfrozen_until is not None
    assert timedelta(minutes=29) < frozen.unfrozen_until - clock.now() <= timedelta(minutes=30)


@pytest.mark.parametrize("minutes", ["", "240"])
def test_it_is_never_unfrozen_beyond_the_end_of_the_window(console: Client, pool: Pool, minutes: str) -> None:
    end = fleets.open_window(pool)
    console.post(f"/pools/{pool.pk}/unfreeze", {"minutes": minutes})
    pool.refresh_from_db()
    assert pool.unfrozen_until == end


def test_a_pool_that_is_not_frozen_offers_no_button_and_refuses_in_words(console: Client, pool: Pool) -> None:
    assert f"/pools/{pool.pk}/unfreeze" not in pages.forms(console.get(f"/pools/{pool.pk}"))
    refused = console.post(f"/pools/{pool.pk}/unfreeze", {"minutes": "30"})
    assert refused.status_code == 409 and "there is nothing to unfreeze" in pages.text(refused)
    assert console.post(f"/pools/{pool.pk}/unfreeze", {"minutes": "9999"}).status_code == 400


def test_unfreezing_needs_the_right_to_change_the_pool(pool: Pool) -> None:
    fleets.open_window(pool)
    looker = browser(rows.person("pools.view_pool"))
    assert f"/pools/{pool.pk}/unfreeze" not in pages.forms(looker.get(f"/pools/{pool.pk}"))
    assert looker.post(f"/pools/{pool.pk}/unfreeze", {"minutes": ""}).status_code == 403
    assert browser(rows.person()).post(f"/pools/{pool.pk}/unfreeze").status_code == 404
