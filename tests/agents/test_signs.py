"""Tasks that were overlooked or forsaken count as stuck; the query judges slots as the gates do."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from agents import explain
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from pools.models import Pool
from tasks.models import Task
from tasks.signals import task_moved
from tests.agents.conftest import Later
from tests.agents.scenes import silence, workspace_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

TOFU = [{"name": "tofu", "version": "1.8.0"}]


@pytest.fixture(autouse=True)
def no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hint is lost, and no sweep comes by."""
    monkeypatch.setattr(task_moved, "send_robust", lambda **facts: [])


def may_start(task: Task) -> bool:
    """Return whether every gate lets the task pass."""
    return {answer["result"] for answer in explain.explain(task)["gates"]} == {"pass"}


def is_stuck(task: Task) -> bool:
    return Task.objects.stuck().filter(pk=task.pk).exists()


def beside_a_free_slot() -> Task:
    factories.agent(connected=True)
    return factories.pending()


def confirmed_beside_its_like() -> Task:
    task = factories.confirmed(on=factories.agent())
    factories.agent(connected=True)
    return task


def kept_by_an_agent_that_is_there() -> Task:
    return factories.confirmed(on=factories.agent(connected=True))


def where_no_agent_has_the_engine() -> Task:
    factories.agent(connected=True, engines=TOFU)
    return factories.pending()


def where_only_another_agent_has_the_engine_and_this_one_downloads_it() -> Task:
    factories.planning(on=factories.agent(connected=True, capacity=1))
    factories.agent(connected=True, engines=TOFU, fetches=["terraform"])
    return factories.pending()


def confirmed_beside_one_that_downloads_its_engine() -> Task:
    task = factories.confirmed(on=factories.agent())
    factories.agent(connected=True, engines=[], fetches=["terraform"])
    return task


def on_another_pool() -> Task:
    pool = Pool.objects.create(name="static-1")
    factories.agent(connected=True, pool=pool)
    return factories.pending(workspace=workspace_of(pool))


def beside_a_busy_agent() -> Task:
    factories.planning(on=factories.agent(connected=True, capacity=1))
    return factories.pending()


def beside_an_agent_of_another_pool() -> Task:
    factories.agent(connected=True, pool=Pool.objects.create(name="static-1"))
    return factories.pending()


def beside_an_agent_that_leaves() -> Task:
    factories.agent(connected=True, draining=True)
    return factories.pending()


def where_only_the_busy_one_has_the_engine() -> Task:
    factories.planning(on=factories.agent(connected=True, capacity=1))
    factories.agent(connected=True, engines=TOFU)
    return factories.pending()


def confirmed_beside_another_version() -> Task:
    task = factories.confirmed(on=factories.agent())
    factories.agent(connected=True, engines=[{"name": "terraform", "version": "1.5.7"}])
    return task


def confirmed_beside_one_that_downloads_another_engine() -> Task:
    task = factories.confirmed(on=factories.agent())
    factories.agent(connected=True, engines=TOFU, fetches=["tofu"])
    return task


def confirmed_beside_one_of_another_platform_that_downloads() -> Task:
    task = factories.confirmed(on=factories.agent())
    factories.agent(connected=True, engines=[], fetches=["terraform"], arch="arm64")
    return task


def confirmed_beside_another_platform() -> Task:
    task = factories.confirmed(on=factories.agent())
    factories.agent(connected=True, arch="arm64")
    return task


def backing_off_beside_a_free_slot() -> Task:
    task = factories.backing_off()
    Task.objects.filter(pk=task.pk).update(not_before=clock.now() + timedelta(minutes=5))
    factories.agent(connected=True)
    return task


FREE = [
    beside_a_free_slot,
    confirmed_beside_its_like,
    kept_by_an_agent_that_is_there,
    where_no_agent_has_the_engine,
    where_only_another_agent_has_the_engine_and_this_one_downloads_it,
    confirmed_beside_one_that_downloads_its_engine,
    on_another_pool,
]
TAKEN = [
    beside_a_busy_agent,
    beside_an_agent_of_another_pool,
    beside_an_agent_that_leaves,
    where_only_the_busy_one_has_the_engine,
    confirmed_beside_another_version,
    confirmed_beside_another_platform,
    confirmed_beside_one_that_downloads_another_engine,
    confirmed_beside_one_of_another_platform_that_downloads,
    backing_off_beside_a_free_slot,
]


@pytest.mark.parametrize("make", FREE, ids=lambda make: make.__name__)
def test_a_task_beside_a_free_slot_is_stuck_after_five_seconds(make: Callable[[], Task], later: Later) -> None:
    task = make()
    later(2)
    assert not is_stuck(task)
    later(4)
    assert may_start(task)
    assert is_stuck(task)


@pytest.mark.parametrize("make", TAKEN, ids=lambda make: make.__name__)
def test_a_task_without_one_is_not(make: Callable[[], Task], later: Later) -> None:
    task = make()
    later(6)
    Task.objects.filter(pk=task.pk).update(deadline=clock.now() + timedelta(hours=1))
    assert not may_start(task)
    assert not is_stuck(task)


def test_a_slot_that_was_freed_just_now_is_no_sign(later: Later) -> None:
    ada = factories.agent(connected=True, capacity=1)
    running = factories.planning(on=ada)
    task = factories.pending()
    Task.objects.filter(pk=task.pk).update(deadline=clock.now() + timedelta(hours=1))
    later(20)
    factories.finish(running, "failed", exit_code=1)
    later(2)
    assert not is_stuck(task)
    later(4)
    assert is_stuck(task)


def test_an_agent_that_connected_just_now_is_no_sign(later: Later) -> None:
    task = factories.pending()
    Task.objects.filter(pk=task.pk).update(deadline=clock.now() + timedelta(hours=1))
    later(20)
    factories.agent(connected=True)
    assert not is_stuck(task)


def test_a_task_that_is_offered_is_not_overlooked(later: Later) -> None:
    task = factories.offered(on=factories.agent(connected=True))
    later(7)
    assert not is_stuck(task)


def test_a_running_task_whose_agent_nobody_gave_up_is_stuck(later: Later) -> None:
    task = factories.planning(on=factories.agent(connected=True))
    Beat.objects.strike(SWEEP)
    silence(Agent.objects.get())
    assert not is_stuck(task)
    later(30)
    assert is_stuck(task)


def test_an_agent_that_takes_nothing_has_no_free_slot(later: Later) -> None:
    deaf = factories.agent(connected=True)
    task = factories.offered(on=deaf)
    later(11)
    factories.lose(task)
    later(7)
    Agent.objects.update(lease_until=clock.now() + timedelta(hours=1))
    Task.objects.update(deadline=clock.now() + timedelta(hours=1))
    assert not is_stuck(task)
    Agent.objects.update(connected_at=clock.now() - timedelta(seconds=6))
    assert is_stuck(task)
