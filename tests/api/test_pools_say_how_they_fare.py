"""A pool in the API: how many pods it should have and why, what keeps it from them, and what its pods do."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from iacplatform.base import clock
from pools import freeze
from pools.conditions import Condition, meaning
from pools.models import Pod, PodPhase, Pool, PoolStatus, ScalingDecision
from tests import factories
from tests.tasks import factories as tasks

POOLS = "/api/v1/pools"
NUMBERS = {"pinned": 1, "free": 0, "queued": 2, "live": 1, "wanted": 3}


@pytest.fixture
def pool(db: Any) -> Pool:
    return factories.k8s_pool(name="edge")


def test_what_keeps_a_pool_from_its_pods_is_said_with_the_remedy(api: APIClient, pool: Pool) -> None:
    since = clock.now() - timedelta(minutes=4)
    words = "exceeded quota: compute, requested: pods=1, used: pods=2, limited: pods=2"
    condition = {"condition_code": Condition.QUOTA_EXCEEDED, "condition_message": words, "condition_count": 3}
    PoolStatus.objects.create(pool=pool, desired=3, condition_since=since, **condition)
    shown = api.get(f"{POOLS}/{pool.pk}").json()
    assert shown["desired"] == 3
    assert shown["condition"] == {
        "code": "quota_exceeded",
        "message": words,
        "remedy": meaning("quota_exceeded").remedy,
        "since": since.isoformat().replace("+00:00", "Z"),
        "count": 3,
    }
    assert [each["condition"] for each in api.get(POOLS).json()["results"]] == [shown["condition"], None]


def test_a_pool_that_is_well_has_no_condition(api: APIClient, pool: Pool) -> None:
    PoolStatus.objects.create(pool=pool, desired=0)
    assert api.get(f"{POOLS}/{pool.pk}").json()["condition"] is None


def test_decisions_are_listed_newest_first_with_numbers_and_a_sentence(api: APIClient, pool: Pool) -> None:
    now = clock.now()
    ScalingDecision.objects.create(pool=pool, at=now - timedelta(minutes=1), desired=1, **NUMBERS | {"wanted": 1})
    ScalingDecision.objects.create(pool=pool, at=now, desired=2, bound="maximum", **NUMBERS)
    ScalingDecision.objects.create(pool=factories.k8s_pool(), desired=9, **NUMBERS)
    newest, oldest = api.get(f"{POOLS}/{pool.pk}/scaling-decisions").json()["results"]
    assert (newest["desired"], oldest["desired"]) == (2, 1)
    assert {**NUMBERS, "bound": "maximum"}.items() <= newest.items()
    assert newest["sentence"].endswith("3 pods are needed. The maximum keeps it at 2. It had 1.")


def test_a_pod_says_its_trouble_and_whether_its_agent_is_there(api: APIClient, pool: Pool) -> None:
    trouble = {"trouble": "image_pull_failed", "trouble_words": 'Back-off pulling image "x"'}
    ours = Pod.objects.create(pool=pool, name="iac-edge-1", phase=PodPhase.RUNNING, slots=2, connected_at=clock.now())
    Pod.objects.create(pool=pool, name="iac-edge-2", phase=PodPhase.STARTING, trouble_since=clock.now(), **trouble)
    agent = tasks.agent(ours.name, pool=pool, pod_name=ours.name, connected=True)
    starting, running = api.get(f"{POOLS}/{pool.pk}/pods").json()["results"]
    assert trouble.items() <= starting.items()
    assert (starting["agent_id"], starting["connected"]) == (None, False)
    assert (running["agent_id"], running["connected"], running["slots"]) == (agent.pk, True, 2)
    agent.session = ""
    agent.save()
    assert api.get(f"{POOLS}/{pool.pk}/pods").json()["results"][1]["connected"] is False


def test_an_agent_of_another_pool_is_not_in_the_pod(api: APIClient, pool: Pool) -> None:
    Pod.objects.create(pool=pool, name="iac-edge-1", phase=PodPhase.RUNNING)
    tasks.agent("iac-edge-1", pod_name="iac-edge-1", connected=True)
    assert api.get(f"{POOLS}/{pool.pk}/pods").json()["results"][0]["connected"] is False


def test_what_may_not_be_seen_is_404(stranger: APIClient, pool: Pool) -> None:
    for path in ("scaling-decisions", "pods"):
        assert stranger.get(f"{POOLS}/{pool.pk}/{path}").status_code == 404
    assert stranger.post(f"{POOLS}/{pool.pk}/unfreeze").status_code == 404


def open_window(pool: Pool) -> datetime:
    """Open a freeze window that lasts another hour; return its end."""
    now = clock.now().replace(second=0, microsecond=0)
    start, end = ((now + timedelta(hours=hours)).strftime("%H:%M") for hours in (-1, 1))
    pool.freeze_windows = [{"days": list(freeze.DAYS), "start": start, "end": end, "timezone": "UTC"}]
    pool.save()
    return now + timedelta(hours=1)


def test_a_frozen_pool_is_unfrozen_to_the_end_of_its_window(api: APIClient, pool: Pool) -> None:
    end = open_window(pool).isoformat().replace("+00:00", "Z")
    shown = api.get(f"{POOLS}/{pool.pk}").json()
    assert (shown["frozen"], shown["frozen_until"], shown["unfrozen_until"]) == (True, end, None)
    thawed = api.post(f"{POOLS}/{pool.pk}/unfreeze", {}, format="json")
    assert thawed.status_code == 200, thawed.content
    assert (thawed.json()["frozen"], thawed.json()["frozen_until"], thawed.json()["unfrozen_until"]) == (
        False,
        None,
        end,
    )


def test_a_frozen_pool_is_unfrozen_for_a_while(api: APIClient, pool: Pool) -> None:
    open_window(pool)
    until = clock.now() + timedelta(minutes=10)
    thawed = api.post(f"{POOLS}/{pool.pk}/unfreeze", {"until": until.isoformat()}, format="json").json()
    assert datetime.fromisoformat(thawed["unfrozen_until"]) == until
    clock.shift(timedelta(minutes=11))
    assert api.get(f"{POOLS}/{pool.pk}").json()["frozen"] is True


def test_a_pool_that_is_not_frozen_cannot_be_unfrozen(api: APIClient, pool: Pool) -> None:
    refused = api.post(f"{POOLS}/{pool.pk}/unfreeze", {}, format="json")
    assert refused.status_code == 409 and refused.json()["code"] == "not_frozen"
    end = open_window(pool)
    late = {"until": (end + timedelta(hours=1)).isoformat()}
    assert api.post(f"{POOLS}/{pool.pk}/unfreeze", late, format="json").json()["code"] == "out_of_window"
    assert api.post(f"{POOLS}/{pool.pk}/unfreeze", {"until": "soon"}, format="json").status_code == 400


def test_unfreezing_needs_the_right_to_change_the_pool(pool: Pool) -> None:
    open_window(pool)
    looker = factories.client(factories.person("pools.view_pool"))
    assert looker.post(f"{POOLS}/{pool.pk}/unfreeze", {}, format="json").status_code == 403
    assert looker.patch(f"{POOLS}/{pool.pk}", {"unfrozen_until": None}, format="json").status_code == 403
