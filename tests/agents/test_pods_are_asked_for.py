"""Whoever decides how many pods there are is told at once when the demand changes, and never for agents of people."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from agents import signals, sweep
from iacplatform.base import clock
from pools.models import Pool, PoolStatus
from tasks import dispatching
from tests.agents.scenes import pod, silence, working_pod, workspace_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

News = list[str]


@pytest.fixture
def news() -> Iterator[News]:
    """Return the pools of which news came, in order."""
    heard: News = []

    def _hear(pool_id: str, **facts: Any) -> None:
        heard.append(pool_id)

    signals.demand_changed.connect(_hear)
    yield heard
    signals.demand_changed.disconnect(_hear)


def test_a_task_without_an_agent_asks_at_once(k8s_pool: Pool, news: News) -> None:
    factories.pending(workspace=workspace_of(k8s_pool))
    assert news == [k8s_pool.pk]


def test_so_does_one_that_takes_a_slot(k8s_pool: Pool, news: News) -> None:
    working_pod(k8s_pool)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    assert factories.reread(task).lease == "offered"
    assert news == [k8s_pool.pk]


def test_and_one_that_gives_it_back_though_nobody_waits(k8s_pool: Pool, news: News) -> None:
    task = factories.planning(on=working_pod(k8s_pool), workspace=workspace_of(k8s_pool))
    news.clear()
    factories.finish(task, "failed", exit_code=1)
    assert set(news) == {k8s_pool.pk}


def test_the_sweep_asks_only_where_it_moved_something(k8s_pool: Pool, news: News) -> None:
    pod(k8s_pool)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    news.clear()
    sweep.sweep()
    assert news == []
    working_pod(k8s_pool)
    sweep.sweep()
    assert factories.reread(task).lease == "offered"
    assert set(news) == {k8s_pool.pk}


def test_agents_that_people_start_are_no_news(static_pool: Pool, news: News) -> None:
    agent = factories.agent(pool=static_pool, connected=True)
    task = factories.running(factories.pending(workspace=workspace_of(static_pool)))
    factories.finish(task, "failed", exit_code=1)
    silence(agent)
    factories.pending(workspace=workspace_of(static_pool))
    assert news == []


def test_who_presses_retry_waits_for_no_back_off(k8s_pool: Pool) -> None:
    in_five_minutes = clock.now() + timedelta(minutes=5)
    PoolStatus.objects.create(pool=k8s_pool, condition_code="image_pull_failed", retry_at=in_five_minutes)
    task = factories.pending(workspace=workspace_of(k8s_pool))
    dispatching.ask_again(task)
    assert PoolStatus.objects.get(pool=k8s_pool).retry_at is None
