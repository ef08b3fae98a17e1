"""A pool's page: how it stands and why, in words, with what moves it."""

from datetime import timedelta

import pytest
from django.test import Client

from iacplatform.base import clock
from pools.conditions import MEANINGS
from pools.models import ClusterStatus, PodPhase, Pool, PoolStatus
from tests import factories as rows
from tests.console import fleets
from tests.console.conftest import browser
from tests.tasks import factories


def words(console: Client, pool: Pool) -> str:
    """Return what a person reads on the pool's page."""
    return fleets.read(console.get(f"/pools/{pool.pk}"))


@pytest.mark.parametrize("code", MEANINGS)
def test_a_condition_comes_first_with_the_clusters_words_and_its_remedy(console: Client, code: str) -> None:
    pool = fleets.pool()
    fleets.condition(pool, code, "The cluster's own <words>", count=3)
    fleets.waiting(pool)
    page = console.get(f"/pools/{pool.pk}")
    assert f'data-condition="{code}"' in page.content.decode()
    head = fleets.read(page).partition("Pods and their slots")[0]
    assert MEANINGS[code].means in head and MEANINGS[code].remedy in head
    assert "The cluster's own <words>" in head
    assert "For 4 min, 3 times in a row · holds up 1 task." in head


def test_a_condition_holds_up_no_task_of_a_pool_that_has_all_its_pods(console: Client) -> None:
    pool = fleets.pool(1, max_replicas=1, slots_per_pod=1)
    factories.planning(on=fleets.agent(fleets.pod(pool)), workspace=fleets.workspace(pool))
    fleets.condition(pool, "cluster_unreachable", "timed out")
    fleets.waiting(pool)
    said = words(console, pool)
    assert "1 task waits" in said and "holds up" not in said
    assert "holds up" not in fleets.read(console.get("/"))


def test_a_condition_says_when_the_next_pod_is_tried(console: Client) -> None:
    pool = fleets.pool()
    fleets.condition(pool, "quota_exceeded")
    PoolStatus.objects.update(retry_at=clock.now() + timedelta(seconds=40))
    assert "the next pod is tried in 3" in words(console, pool)


@pytest.mark.parametrize(
    ("desired", "phases", "said"),
    [
        (None, [], "The autoscaler has not looked at it yet."),
        (0, [], "It has no pod, and needs none."),
        (2, ["running", "running"], "It has 2 pods, as many as it should."),
        (3, ["running"], "It should have 3 pods, and has 1."),
        (2, ["running", "starting"], "It has 2 pods, 1 of them starting."),
        (0, ["running"], "It has 1 pod, and needs none. Pods that were idle for 5 min go, one at a time"),
        (1, ["running", "draining"], "It has 1 pod, as many as it should."),
        (6, ["running"] * 6, "It has 6 pods, more than its maximum of 5. Those beyond it take nothing new; one"),
    ],
)
def test_the_number_of_pods_stands_beside_the_number_that_should_be(
    console: Client, desired: int | None, phases: list[PodPhase], said: str
) -> None:
    pool = fleets.pool(desired)
    for number, phase in enumerate(phases):
        fleets.pod(pool, f"iac-edge-{number}", phase)
    assert said in words(console, pool)


def test_a_pool_of_which_nothing_is_known_yet_says_so(console: Client) -> None:
    said = words(console, rows.k8s_pool(name="new"))
    assert "The autoscaler has not looked at it yet. Pods 0 there; at least 1, at most 5" in said
    assert "namespace default, not looked at yet" in said


def test_a_pool_that_may_have_no_pods_says_that_its_settings_have_to_change(console: Client) -> None:
    assert "It may have no pods. Raise its maximum" in words(console, fleets.pool(0, max_replicas=0))


def test_a_cluster_that_nobody_looks_at_is_the_first_thing_said(console: Client) -> None:
    pool = fleets.pool()
    ClusterStatus.objects.update(began_at=clock.now() - timedelta(minutes=10))
    assert "Nobody looks at its cluster. An operator starts a worker" in words(console, pool)


def test_the_last_look_at_the_cluster_is_told(console: Client) -> None:
    pool = fleets.pool()
    assert "namespace default, looked at just now" in words(console, pool)
    ClusterStatus.objects.update(failures=2, not_before=clock.now() + timedelta(seconds=20))
    assert "the last 2 looks failed, one succeeded just now; the next one in" in words(console, pool)


def test_the_last_decision_says_why_and_the_ones_before_are_listed(console: Client) -> None:
    pool = fleets.pool(3)
    fleets.decision(pool, at=clock.now() - timedelta(minutes=3))
    fleets.decision(pool, queued=9, wanted=5, desired=3, bound="maximum")
    said = words(console, pool)
    assert "Why 9 tasks need a slot, and no pod holds work: 5 pods are needed. The maximum keeps it at 3." in said
    history = said.partition("What the autoscaler decided")[2]
    assert history.index("9 tasks need a slot") < history.index("3 min ago 1 task needs a slot")


def test_a_person_without_the_right_sees_no_decisions_and_no_pods(console: Client) -> None:
    pool = fleets.pool()
    fleets.decision(pool)
    fleets.pod(pool)
    said = words(browser(rows.person("pools.view_pool")), pool)
    assert "needs a slot" not in said and "iac-edge-1" not in said
    assert "It has 1 pod, as many as it should." in said


def test_the_list_of_pools_says_it_in_a_line(console: Client) -> None:
    pool = fleets.pool(2)
    assert "edge Kubernetes, 0–5 pods of 2 slots · 0 agents connected It should have 2 pods, and has 0." in fleets.read(
        console.get("/pools/")
    )
    fleets.condition(pool, "image_pull_failed", fleets.PULL)
    listed = console.get("/pools/")
    assert MEANINGS["image_pull_failed"].means in fleets.read(listed)
    assert 'data-condition="image_pull_failed"' in listed.content.decode()
