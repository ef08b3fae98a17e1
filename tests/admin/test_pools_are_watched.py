"""Pools in the admin: pods, decisions and what is known of clusters are read and written by no hand."""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from pools.models import ClusterStatus, Pod, Pool, PoolStatus, ScalingDecision
from tests.admin.test_tasks_and_agents import staff
from tests.console import fleets

pytestmark = pytest.mark.django_db

ADMIN = "/admin/pools"
READ = [Pod, PoolStatus, ClusterStatus, ScalingDecision]


@pytest.fixture
def pool() -> Pool:
    """A pool with one row of everything that is known of it."""
    made = fleets.pool()
    fleets.pod(made)
    fleets.decision(made)
    fleets.condition(made, "quota_exceeded", "exceeded quota: compute")
    return made


@pytest.mark.parametrize("model", READ)
def test_what_the_fleet_writes_is_read_alone(admin_client: Client, pool: Pool, model: type[Model]) -> None:
    name, row = model._meta.model_name, model._default_manager.get()
    assert admin_client.get(f"{ADMIN}/{name}/").status_code == 200
    shown = admin_client.get(f"{ADMIN}/{name}/{row.pk}/change/")
    assert shown.status_code == 200 and b'name="_save"' not in shown.content
    for path in ("add/", f"{row.pk}/delete/"):
        assert admin_client.post(f"{ADMIN}/{name}/{path}", {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


def test_whoever_may_not_see_them_finds_none(pool: Pool) -> None:
    looker = staff("pools.view_pool")
    assert looker.get(f"{ADMIN}/pool/").status_code == 200
    assert {looker.get(f"{ADMIN}/{model._meta.model_name}/").status_code for model in READ} == {403}


def test_pools_are_found_by_their_condition(admin_client: Client, pool: Pool) -> None:
    fleets.pool(name="well")
    for address in ("pool/?status__condition_code=", "poolstatus/?condition_code="):
        page = admin_client.get(f"{ADMIN}/{address}quota_exceeded").content.decode()
        assert ">edge<" in page and ">well<" not in page


def test_a_frozen_pool_is_unfrozen_by_an_action(admin_client: Client, pool: Pool) -> None:
    chosen: dict[str, Any] = {"action": "unfreeze", "_selected_action": [pool.pk]}
    refused = admin_client.post(f"{ADMIN}/pool/", chosen, follow=True)
    assert b"there is nothing to unfreeze" in refused.content
    end = fleets.open_window(pool)
    done = admin_client.post(f"{ADMIN}/pool/", chosen, follow=True)
    assert f"Pool edge is unfrozen until {end:%Y-%m-%d %H:%M} UTC.".encode() in done.content
    pool.refresh_from_db()
    assert pool.unfrozen_until == end
