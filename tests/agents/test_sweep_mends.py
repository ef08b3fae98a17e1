"""What time, lost hints and dead processes leave behind is mended by the next sweep."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from agents import dispatcher, sweep
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from pools.models import Pool
from tasks import recovery, scheduler
from tasks.models import Task, TaskEvent
from tasks.signals import task_moved
from tasks.states import Lease, Status
from tests.agents.conftest import Later
from tests.agents.scenes import cut_off, join, offered_to, silence
from tests.tasks import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard() -> None:
    """A web process has been storing heartbeats for a whole lease."""
    beat("web:1", unbroken=46)


def beat(name: str, *, unbroken: float, age: float = 0) -> None:
    now = clock.now()
    Beat.objects.create(name=name, at=now - timedelta(seconds=age), unbroken_since=now - timedelta(seconds=unbroken))


def test_an_offer_that_lapsed_is_taken_back_and_made_to_another(later: Later) -> None:
    deaf = join("deaf", capacity=1)
    task = factories.pending()
    later(11)
    ears = factories.agent("ears", connected=True)
    sweep.sweep()
    assert (offered_to(deaf), offered_to(ears)) == ([], [task.pk])
    assert task.events.filter(event="offer_lapsed", reason__contains="deaf").exists()


def test_an_offer_in_time_is_left_alone(later: Later) -> None:
    ada = join("ada")
    task = factories.pending()
    later(6)
    sweep.sweep()
    assert (offered_to(ada), factories.reread(task).epoch) == ([task.pk], 1)


@pytest.mark.usefixtures("heard")
def test_the_plan_of_a_silent_agent_is_tried_again() -> None:
    task = factories.planning(on=factories.agent("ada"))
    silence(Agent.objects.get())
    sweep.sweep()
    task = factories.reread(task)
    assert (task.status, task.reason_code) == (Status.PENDING, "retry_backoff")
    assert "ada" in (task.reason or {})["message"]


@pytest.mark.usefixtures("heard")
def test_the_apply_of_a_silent_agent_needs_attention() -> None:
    task = factories.applying(on=factories.agent("ada"))
    silence(Agent.objects.get())
    sweep.sweep()
    task = factories.reread(task)
    assert (task.status, task.reason_code, task.workspace.locked_by) == (
        Status.NEEDS_ATTENTION,
        "agent_lost",
        f"task:{task.pk}",
    )


@pytest.mark.usefixtures("heard")
def test_the_kept_slot_of_a_silent_agent_is_given_up() -> None:
    task = factories.confirmed(on=factories.agent("ada"))
    silence(Agent.objects.get())
    bob = factories.agent("bob", connected=True)
    sweep.sweep()
    assert offered_to(bob) == [task.pk]


@pytest.mark.usefixtures("heard")
def test_a_dropped_socket_is_no_death() -> None:
    task = factories.planning(on=factories.agent("ada", connected=True))
    cut_off(Agent.objects.get())
    sweep.sweep()
    assert factories.reread(task).status == Status.RUNNING


@pytest.mark.parametrize(
    "before",
    [
        lambda: None,
        lambda: beat("web:1", unbroken=20),
        lambda: beat("web:1", unbroken=600, age=20),
        lambda: beat("worker:1", unbroken=600),
    ],
    ids=["nobody", "not for a whole lease", "not any more", "no web process"],
)
def test_an_outage_of_ours_is_no_death_either(before: Callable[[], None]) -> None:
    before()
    task = factories.applying(on=factories.agent("ada"))
    silence(Agent.objects.get())
    sweep.sweep()
    assert factories.reread(task).status == Status.RUNNING


def test_after_an_outage_agents_get_a_whole_lease_to_come_back(later: Later) -> None:
    task = factories.planning(on=factories.agent("ada"))
    Beat.objects.strike("web:1")
    later(3600)  # everything of ours was down
    for _ in range(7):
        Beat.objects.strike("web:1")
        sweep.sweep()
        assert factories.reread(task).status == Status.RUNNING
        later(5)
    for _ in range(2):
        Beat.objects.strike("web:1")
        later(5)
    Beat.objects.strike("web:1")
    sweep.sweep()
    assert factories.reread(task).status == Status.PENDING


@pytest.mark.usefixtures("heard")
def test_a_phase_long_past_its_time_out_is_not_believed_in(later: Later) -> None:
    ada = factories.agent("ada", connected=True)
    task = factories.planning(on=ada)
    Agent.objects.update(lease_until=clock.now() + timedelta(days=1))
    Task.objects.filter(pk=task.pk).update(deadline=clock.now() - timedelta(seconds=1))
    sweep.sweep()
    assert task.events.filter(event="interrupted", reason__contains="time-out").exists()


def test_a_reservation_ends_in_time(later: Later) -> None:
    task = factories.awaiting_confirmation(on=factories.agent("ada", connected=True))
    later(factories.RESERVATION_SECONDS + 1)
    sweep.sweep()
    task = factories.reread(task)
    assert (task.status, task.lease, task.reason_code) == (Status.APPLY_PENDING, Lease.NONE, "reservation_lost")


def test_a_back_off_ends(later: Later) -> None:
    task = factories.backing_off()
    ada = join("ada")
    later(6)
    sweep.sweep()
    assert offered_to(ada) == [task.pk]


@pytest.fixture
def no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hint is lost, as if the process had died right after each commit."""
    monkeypatch.setattr(task_moved, "send_robust", lambda **facts: [])


@pytest.mark.usefixtures("no_news")
def test_a_task_whose_news_was_lost_is_offered(caplog: pytest.LogCaptureFixture) -> None:
    ada = factories.agent("ada", connected=True)
    task = factories.pending()
    assert factories.reread(task).reason_code == "dispatching"
    sweep.sweep()
    assert offered_to(ada) == [task.pk]
    assert "should have" in caplog.text


@pytest.mark.usefixtures("no_news")
def test_a_queue_whose_news_was_lost_goes_on() -> None:
    ada = factories.agent("ada", connected=True)
    first = factories.failed()
    second = factories.pending(workspace=first.workspace)
    Task.objects.filter(pk=second.pk).update(status="waiting")
    sweep.sweep()
    assert offered_to(ada) == [second.pk]


def test_a_lock_whose_news_was_lost_holds_back() -> None:
    task = factories.pending()
    Workspace.objects.filter(pk=task.workspace_id).update(locked_by="user:ann", lock_reason="by hand")
    sweep.sweep()
    task = factories.reread(task)
    assert (task.status, task.reason_code) == (Status.WAITING, "workspace_locked")


def test_a_changed_pool_is_noticed_without_news(static_pool: Pool) -> None:
    bob = join("bob", pool=static_pool)
    task = factories.pending()
    Workspace.objects.filter(pk=task.workspace_id).update(execution_mode="agent", pool=static_pool)
    sweep.sweep()
    assert offered_to(bob) == [task.pk]


@pytest.mark.usefixtures("no_news")
def test_the_sweep_looks_beyond_what_the_fast_path_sees() -> None:
    tasks = [factories.pending() for _ in range(4)]
    ada = factories.agent("ada", connected=True, capacity=4)
    dispatcher.dispatch(ada.pool_id, cause="test", most=1)
    assert offered_to(ada) == [tasks[0].pk]
    sweep.sweep()
    assert offered_to(ada) == [task.pk for task in tasks]


@pytest.mark.usefixtures("heard")
def test_a_second_sweep_does_nothing_more(later: Later) -> None:
    for make in (factories.pending, factories.planning, factories.confirmed, factories.needing_attention):
        make()
    later(20)
    Beat.objects.filter(name="web:1").update(at=clock.now())
    sweep.sweep()
    before = list(Task.objects.order_by("id").values()), TaskEvent.objects.count()
    sweep.sweep()
    assert (list(Task.objects.order_by("id").values()), TaskEvent.objects.count()) == before


def test_a_broken_row_does_not_keep_the_sweep_from_the_others(later: Later, monkeypatch: pytest.MonkeyPatch) -> None:
    join("ada", capacity=2)
    broken, sound = factories.pending(), factories.pending()
    later(11)
    _break(monkeypatch, recovery, "slot_lost", broken.pk)
    sweep.sweep()
    assert factories.reread(sound).epoch > 1
    assert factories.reread(broken).epoch == 1


def test_a_broken_workspace_does_not_either(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = factories.pending(), factories.pending()
    Workspace.objects.update(locked_by="user:ann")
    _break(monkeypatch, scheduler, "advance", broken.workspace_id)
    sweep.sweep()
    assert factories.reread(sound).status == Status.WAITING


def test_a_broken_pool_does_not_either(static_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = factories.agent("bob", pool=static_pool, connected=True)
    factories.pending()
    task = factories.pending()
    Workspace.objects.filter(pk=task.workspace_id).update(execution_mode="agent", pool=static_pool)
    _break(monkeypatch, dispatcher, "dispatch_all", Pool.objects.local().pk)
    sweep.sweep()
    assert offered_to(bob) == [task.pk]


def test_a_stalled_step_does_not_keep_the_others_from_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def stalled() -> None:
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(sweep, "_offers", stalled)
    ada = factories.agent("ada", connected=True)
    task = factories.pending()
    sweep.sweep()
    assert offered_to(ada) == [task.pk]
    assert Beat.objects.last_sweep() is not None


def test_beats_of_processes_long_gone_are_forgotten() -> None:
    beat("web:gone", unbroken=9000, age=3700)
    beat("web:here", unbroken=9000)
    sweep.sweep()
    assert set(Beat.objects.values_list("name", flat=True)) == {"web:here", SWEEP}


def _break(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, first: object) -> None:
    real = getattr(module, name)

    def choke(key: object, *arguments: Any, **members: Any) -> Any:
        if key == first:
            raise ValueError("broken")
        return real(key, *arguments, **members)

    monkeypatch.setattr(module, name, choke)
