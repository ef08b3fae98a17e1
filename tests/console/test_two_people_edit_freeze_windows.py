"""Two people edit a pool's freeze windows at once: neither loses any without being told."""

from typing import Any

import pytest
from django.test import Client

from pools.models import Pool
from tests.console import fleets, pages
from tests.console.test_pools_are_made_and_changed import EMPTY, NIGHT, filled, rows_of

OTHER = {"days": ["sat"], "start": "08:00", "end": "10:00", "timezone": "UTC"}
MORE = {"days": ["sun"], "start": "08:00", "end": "10:00", "timezone": "UTC"}


@pytest.fixture
def pool(db: Any) -> Pool:
    return fleets.pool(freeze_windows=[NIGHT])


def opened(console: Client, pool: Pool) -> str:
    """Return what the form says that it was made from."""
    [before] = {form["windows-before"] for form in _forms(console, pool) if "windows-before" in form}
    return before


def _forms(console: Client, pool: Pool) -> list[dict[str, str]]:
    return list(pages.forms(console.get(f"/pools/{pool.pk}/settings")).values())


def save(console: Client, pool: Pool, before: str, *windows: dict[str, Any], **columns: Any) -> Any:
    """Give a form that was made from `before`, in which these windows stand."""
    rows = rows_of(*windows, EMPTY, known=1)
    form = filled(name=pool.name, k8s_config=pool.k8s_config_id, **{**rows, **columns, "windows-before": before})
    return console.post(f"/pools/{pool.pk}/settings", form)


def stored(pool: Pool) -> Any:
    return Pool.objects.get(pk=pool.pk).freeze_windows


def test_who_saves_later_is_told_and_loses_nothing(console: Client, pool: Pool) -> None:
    before = opened(console, pool)
    assert save(console, pool, before, NIGHT, OTHER).status_code == 303
    refused = save(console, pool, before, NIGHT, MORE, max_replicas=9)
    said = pages.text(refused)
    assert refused.status_code == 409 and "Somebody else changed the freeze windows meanwhile" in said
    assert "Mon, Tue 22:00 to 06:00 the next day, Europe/Berlin; Sat 08:00 to 10:00, UTC" in said
    assert 'value="08:00"' in refused.content.decode()
    assert stored(pool) == [NIGHT, OTHER] and Pool.objects.get(pk=pool.pk).max_replicas != 9


def test_saving_it_again_puts_it_in_their_place(console: Client, pool: Pool) -> None:
    before = opened(console, pool)
    save(console, pool, before, NIGHT, OTHER)
    refused = save(console, pool, before, NIGHT, MORE)
    [again] = [form["windows-before"] for form in pages.forms(refused).values() if "windows-before" in form]
    assert save(console, pool, again, NIGHT, MORE).status_code == 303
    assert stored(pool) == [NIGHT, MORE]


def test_who_leaves_the_windows_as_they_were_takes_nobodys_away(console: Client, pool: Pool) -> None:
    before = opened(console, pool)
    save(console, pool, before, NIGHT, OTHER)
    assert save(console, pool, before, NIGHT, max_replicas=9).status_code == 303
    assert stored(pool) == [NIGHT, OTHER] and Pool.objects.get(pk=pool.pk).max_replicas == 9


def test_two_who_mean_the_same_are_both_content(console: Client, pool: Pool) -> None:
    before = opened(console, pool)
    save(console, pool, before, NIGHT, OTHER)
    assert save(console, pool, before, NIGHT, OTHER).status_code == 303
