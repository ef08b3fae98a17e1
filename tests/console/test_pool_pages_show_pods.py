"""Pods and their slots on a pool's page: who holds which, and what each pod does."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from agents.models import Agent
from iacplatform.base import clock
from pools.models import Pod, PodPhase
from tests.console import fleets, pages
from tests.tasks import factories


def said(console: Client) -> str:
    """Return what is read about the one pod, from its name on."""
    pod = Pod.objects.get()
    whole = fleets.read(console.get(f"/pools/{pod.pool_id}"))
    return whole.partition("Pods and their slots")[2].partition("Delete the pool")[0]


def test_each_slot_says_which_task_holds_it(console: Client) -> None:
    agent = fleets.agent(fleets.pod(fleets.pool(slots_per_pod=3)))
    kept = factories.awaiting_confirmation(on=agent, workspace=fleets.workspace(agent.pool))
    runs = factories.planning(on=agent, workspace=fleets.workspace(agent.pool))
    assert f"iac-edge-1 running Holds work. terraform 1.11.4 #{kept.pk} kept #{runs.pk} free" in said(console)
    page = console.get(f"/pools/{agent.pool_id}").content.decode()
    assert f'<a href="{pages.address(runs)}">#{runs.pk}</a>' in page


def test_a_pod_without_work_says_for_how_long(console: Client) -> None:
    fleets.agent(fleets.pod(fleets.pool(), last_busy_at=clock.now() - timedelta(minutes=4)))
    assert "iac-edge-1 running Idle, for 4 min. terraform 1.11.4 free free" in said(console)


AGO = timedelta(minutes=4)
DOINGS: dict[str, tuple[PodPhase, dict[str, timedelta]]] = {
    "intended Not asked of the cluster yet, for 4 min.": (PodPhase.INTENDED, {"created_at": -AGO}),
    "starting The cluster starts it, for 4 min. It is given up in 4 min, unless its agent connects.": (
        PodPhase.STARTING,
        {"created_at": -AGO, "deadline": timedelta(seconds=270)},
    ),
    "starting Its container runs, its agent has not connected yet, for 4 min.": (
        PodPhase.STARTING,
        {"started_at": -AGO},
    ),
    "running Its agent is away.": (PodPhase.RUNNING, {}),
    "draining Takes nothing new, and goes when it holds no work.": (PodPhase.DRAINING, {}),
    "deleting The cluster was asked to end it.": (PodPhase.DELETING, {}),
}


@pytest.mark.parametrize("words", DOINGS)
def test_each_phase_is_said_in_words(console: Client, words: str) -> None:
    phase, moments = DOINGS[words]
    now = clock.now()
    columns: dict[str, Any] = {name: now + span for name, span in moments.items()}
    fleets.pod(fleets.pool(), phase=phase, **columns)
    assert f"iac-edge-1 {words}" in said(console)


def test_trouble_is_said_with_the_clusters_words(console: Client) -> None:
    trouble: dict[str, Any] = {"trouble": "image_pull_failed", "trouble_words": fleets.PULL}
    fleets.pod(fleets.pool(), phase=PodPhase.STARTING, trouble_since=clock.now() - AGO, **trouble)
    assert f"its node cannot get the image, for 4 min. {fleets.PULL}" in said(console)


def test_a_pod_that_goes_says_why(console: Client) -> None:
    fleets.pod(fleets.pool(), phase=PodPhase.DELETING, cause="It was idle for 310 s, and the pool needs 1 pods.")
    assert "deleting The cluster was asked to end it. It was idle for 310 s" in said(console)


def test_an_agent_that_is_away_shows_what_it_holds_and_no_free_slot(console: Client) -> None:
    agent = fleets.agent(fleets.pod(fleets.pool()))
    task = factories.applying(on=agent, workspace=fleets.workspace(agent.pool))
    Agent.objects.update(session="", last_seen_at=clock.now() - AGO)
    assert f"iac-edge-1 running Its agent is away, for 4 min. terraform 1.11.4 #{task.pk}" in said(console)


def test_a_pod_that_ended_lately_says_why_and_an_older_one_is_left_out(console: Client) -> None:
    pool = fleets.pool()
    fleets.pod(pool, "iac-edge-1", PodPhase.GONE, cause="OOMKilled, exit code 137", gone_at=clock.now() - AGO)
    fleets.pod(pool, "iac-edge-2", PodPhase.GONE, cause="Evicted", gone_at=clock.now() - timedelta(hours=2))
    fleets.pod(pool, "iac-edge-3", PodPhase.GONE, gone_at=clock.now())
    words = fleets.read(console.get(f"/pools/{pool.pk}"))
    assert "iac-edge-1 ended 4 min ago OOMKilled, exit code 137" in words
    assert "iac-edge-2" not in words and "iac-edge-3" not in words


def test_an_agent_in_no_pod_of_the_pool_is_listed_below(console: Client) -> None:
    agent = fleets.agent(fleets.pod(fleets.pool()))
    factories.agent("stray", pool=agent.pool, connected=True)
    words = said(console)
    assert "stray connected" in words.partition("Agents that are in none of these pods")[2]
    assert words.count("iac-edge-1") == 1


def test_a_hundred_pods_cost_as_many_queries_as_one(console: Client, django_assert_max_num_queries: Any) -> None:
    pool = fleets.pool()
    for number in range(101):
        fleets.agent(fleets.pod(pool, f"iac-edge-{number}"))
    with django_assert_max_num_queries(20):
        words = fleets.read(console.get(f"/pools/{pool.pk}"))
    assert "100 of 101, the oldest first" in words
