"""Pools at the console: made, changed and deleted by people who may, with a sentence for each wrong value."""

from typing import Any

import pytest
from django.test import Client

from pools.models import Pool, PoolType
from tests import factories as rows
from tests.console import fleets, pages
from tests.console.conftest import browser
from tests.tasks import factories

NEW = "/pools/new"
SIZES = {"min_replicas": 1, "max_replicas": 4, "slots_per_pod": 2, "idle_seconds": 300, "reservation_seconds": 3600}


def rows_of(*windows: dict[str, Any], known: int = 0) -> dict[str, Any]:
    """Return the fields of rows of windows, the first `known` of which were there before."""
    counted = {"windows-TOTAL_FORMS": len(windows), "windows-INITIAL_FORMS": known}
    fields = {f"windows-{number}-{name}": value for number, row in enumerate(windows) for name, value in row.items()}
    return {**counted, **fields}


NIGHT = {"days": ["mon", "tue"], "start": "22:00", "end": "06:00", "timezone": "Europe/Berlin"}
EMPTY = {"start": "", "end": "", "timezone": "UTC"}


def filled(**columns: Any) -> dict[str, Any]:
    """Return what a person fills in for a pool of pods without windows."""
    known = {"name": "edge", "pool_type": "k8s", **SIZES, **rows_of(EMPTY)}
    return {**known, **columns}


def test_a_pool_of_pods_is_made_with_its_windows(console: Client) -> None:
    config = rows.k8s_config()
    answer = console.post(NEW, filled(k8s_config=config.pk, **rows_of(NIGHT, EMPTY)), follow=True)
    assert "The settings of pool edge are stored." in pages.text(answer)
    made = Pool.objects.get(name="edge")
    assert (made.pool_type, made.k8s_config, made.slots_per_pod) == (PoolType.K8S, config, 2)
    assert made.freeze_windows == [NIGHT]
    assert "Mon, Tue 22:00 to 06:00 the next day, Europe/Berlin." in fleets.read(answer)


def test_a_static_pool_has_no_config_whatever_its_hidden_field_says(console: Client) -> None:
    console.post(NEW, filled(pool_type="static", k8s_config=rows.k8s_config().pk))
    assert Pool.objects.get(name="edge").k8s_config is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"k8s_config": ""}, "A pool of type k8s needs a K8s config"),
        ({"min_replicas": 5}, "The minimum of pods cannot be above the maximum."),
        ({"slots_per_pod": 0}, "greater than or equal to 1"),
        ({"name": "a b"}, "Use 1 to 90 letters"),
        (rows_of({**NIGHT, "timezone": "Mars"}), "Window 1: timezone is an IANA name"),
        (rows_of({**NIGHT, "end": "22:00"}), "Window 1: start and end are the same time."),
        (rows_of({**NIGHT, "days": []}), "Window 1: days is a list of"),
    ],
)
def test_a_wrong_value_is_said_in_words_and_what_was_typed_stays(
    console: Client, fields: dict[str, Any], words: str
) -> None:
    answer = console.post(NEW, filled(**{"k8s_config": rows.k8s_config().pk, **fields}))
    assert answer.status_code == 400 and words in pages.text(answer)
    assert not Pool.objects.filter(name="edge").exists()


def test_a_pool_is_changed_and_a_window_removed(console: Client) -> None:
    pool = fleets.pool(freeze_windows=[NIGHT, {**NIGHT, "days": ["sat"]}])
    address = f"/pools/{pool.pk}/settings"
    form = console.get(address).content.decode()
    assert 'value="22:00"' in form and 'value="mon" aria' not in form
    kept = {**NIGHT, "days": ["sat"], "start": "20:00"}
    windows = rows_of({**NIGHT, "DELETE": "on"}, kept, EMPTY, known=2)
    answer = console.post(
        address, filled(name="edge-2", k8s_config=pool.k8s_config_id, **{**windows, "max_replicas": 9})
    )
    assert answer.status_code == 303
    pool.refresh_from_db()
    assert (pool.name, pool.max_replicas, pool.freeze_windows) == ("edge-2", 9, [kept])


def test_a_form_stores_only_what_was_changed_in_it(console: Client) -> None:
    pool = fleets.pool()
    fields = filled(name="edge", k8s_config=pool.k8s_config_id, min_replicas=0, max_replicas=5)
    fleets.open_window(pool)
    pool.unfreeze()
    Pool.objects.filter(pk=pool.pk).update(reservation_seconds=60)
    form = {**fields, "reservation_seconds": 60, "idle_seconds": 30}
    assert console.post(f"/pools/{pool.pk}/settings", form).status_code == 303
    pool.refresh_from_db()
    assert (pool.idle_seconds, pool.unfrozen_until is None) == (30, False)


def test_the_type_of_a_pool_is_fixed_and_so_is_the_name_of_local(console: Client) -> None:
    local = Pool.objects.local()
    fields = {"name": "other", "pool_type": "k8s", "reservation_seconds": 60, **rows_of(EMPTY)}
    assert console.post(f"/pools/{local.pk}/settings", fields).status_code == 303
    local.refresh_from_db()
    assert (local.name, local.pool_type, local.reservation_seconds) == ("local", "static", 60)


def test_a_pool_that_is_used_says_why_it_stays(console: Client) -> None:
    pool = fleets.pool()
    pod = fleets.pod(pool)
    address = f"/pools/{pool.pk}/delete"
    page = console.get(f"/pools/{pool.pk}")
    assert address not in pages.forms(page)
    assert "It cannot go yet. Pool edge has pods (iac-edge-1)" in pages.text(page)
    refused = console.post(address)
    assert refused.status_code == 409 and "Pool edge has pods" in pages.text(refused)
    pod.delete()
    assert address in pages.forms(console.get(f"/pools/{pool.pk}"))
    assert "Pool edge is deleted." in pages.text(console.post(address, follow=True))
    assert not Pool.objects.filter(pk=pool.pk).exists()


def test_the_pool_of_the_built_in_agents_stays(console: Client) -> None:
    local = Pool.objects.local()
    assert "It cannot go yet. Pool local is the built-in agents' own" in pages.text(console.get(f"/pools/{local.pk}"))
    assert console.post(f"/pools/{local.pk}/delete").status_code == 409


@pytest.mark.django_db
def test_each_deed_needs_its_right() -> None:
    pool = fleets.pool()
    looker = browser(rows.person("pools.view_pool"))
    one = f"/pools/{pool.pk}"
    assert set(pages.forms(looker.get(one))) == {"/logout/"}
    assert "New pool" not in pages.text(looker.get("/pools/"))
    answers = [looker.get(NEW), looker.post(NEW), looker.get(f"{one}/settings"), looker.post(f"{one}/delete")]
    assert {answer.status_code for answer in answers} == {403}
    assert {browser(rows.person()).get(path).status_code for path in (one, f"{one}/settings")} == {404}


@pytest.mark.django_db
def test_a_config_that_may_not_be_seen_cannot_be_chosen() -> None:
    maker = browser(rows.person("pools.view_pool", "pools.add_pool"))
    assert "There is none that you may see" in pages.text(maker.get(NEW))
    answer = maker.post(NEW, filled(k8s_config=rows.k8s_config().pk))
    assert answer.status_code == 400 and not Pool.objects.filter(name="edge").exists()


def test_a_task_that_waits_for_a_pod_links_to_its_pool(console: Client) -> None:
    pool = fleets.pool()
    task = factories.pending(workspace=fleets.workspace(pool))
    reason = {**(task.reason or {}), "blocker": {"kind": "pod", "id": "iac-edge-1"}}
    type(task).objects.filter(pk=task.pk).update(reason=reason)
    assert f'<a href="/pools/{pool.pk}">Its pool</a>' in console.get(pages.address(task)).content.decode()
