"""Who gets a slot, and which: applies before plans, then age; the fullest agent, so that empty ones can go away."""

import pytest

from agents import dispatcher
from pools.models import Pool
from tasks import attempts, recovery
from tasks.models import Task
from tasks.signals import task_moved
from tasks.states import Lease
from tests.agents.conftest import Later
from tests.agents.scenes import confirm, cut_off, join, offered_to, silence, slot, workspace_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_apply_goes_before_an_older_plan() -> None:
    plan = factories.pending()
    apply = factories.confirmed(on=factories.agent())
    assert plan.pk < apply.pk
    assert offered_to(join("ada", capacity=1)) == [apply.pk]


def test_among_plans_the_oldest_goes_first() -> None:
    oldest, second, third = (factories.pending() for _ in range(3))
    ada = join("ada", capacity=2)
    assert offered_to(ada) == [oldest.pk, second.pk]
    assert factories.reread(third).reason_code == "no_free_slot"


def test_the_fullest_agent_is_chosen() -> None:
    full = factories.agent("full", connected=True, capacity=3)
    running = factories.pending()
    factories.agent("empty", connected=True, capacity=3)
    second = factories.pending()
    assert offered_to(full) == [running.pk, second.pk]


def test_a_confirmed_task_goes_to_the_slot_that_is_kept_for_it() -> None:
    ada = factories.agent("ada", connected=True, capacity=3)
    task = factories.awaiting_confirmation(on=ada)
    factories.agent("bob", connected=True, capacity=1)
    task = confirm(task)
    assert (task.lease, task.agent_id, task.slot) == (Lease.OFFERED, ada.pk, 0)


def test_a_kept_slot_is_waited_for_a_moment_while_its_agent_reconnects() -> None:
    ada = factories.agent("ada", connected=True)
    task = factories.awaiting_confirmation(on=ada)
    cut_off(ada)
    bob = join("bob")
    task = confirm(task)
    assert (task.lease, task.reason_code, (task.reason or {})["turn"]) == (Lease.RESERVED, "no_free_slot", "time")
    assert offered_to(bob) == []


def test_after_that_moment_it_goes_anywhere(later: Later) -> None:
    ada = factories.agent("ada", connected=True)
    task = factories.awaiting_confirmation(on=ada)
    cut_off(ada)
    bob = join("bob")
    task = confirm(task)
    later(6)
    dispatcher.dispatch(bob.pool_id, cause="test")
    assert offered_to(bob) == [task.pk]


def test_nobody_waits_for_a_kept_slot_whose_agent_is_gone_for_good() -> None:
    ada = factories.agent("ada", connected=True)
    task = factories.awaiting_confirmation(on=ada)
    silence(ada)
    bob = join("bob")
    confirm(task)
    assert offered_to(bob) == [task.pk]


def test_waiting_for_a_kept_slot_takes_no_other_reservation() -> None:
    ada = factories.agent("ada", connected=True, capacity=1)
    first = factories.awaiting_confirmation(on=ada)
    bob = factories.agent("bob", connected=True, capacity=1)
    other = factories.awaiting_confirmation(on=bob)
    cut_off(ada)
    confirm(first)
    assert factories.reread(other).lease == Lease.RESERVED


@pytest.mark.parametrize("column", [{"draining": True}, {"session": ""}])
def test_an_agent_that_takes_nothing_has_no_capacity(column: dict[str, object]) -> None:
    gone = join("gone", **column)
    assert factories.pending().reason_code and offered_to(gone) == []


def test_a_silent_agent_has_no_capacity() -> None:
    silent = join("silent")
    silence(silent)
    task = factories.pending()
    assert factories.reread(task).reason_code == "no_connected_agent"


def test_an_agent_that_let_the_offer_lapse_is_asked_last(later: Later) -> None:
    deaf = factories.agent("deaf", connected=True, capacity=1)
    task = factories.pending()
    assert offered_to(deaf) == [task.pk]
    later(attempts.ACCEPT_SECONDS)
    ears = factories.agent("ears", connected=True, capacity=9)
    recovery.slot_lost(task.pk, deaf.pk, cause="Not accepted.", last_seen=None)
    assert offered_to(ears) == [task.pk]


def test_it_is_asked_again_when_there_is_no_other() -> None:
    deaf = factories.agent("deaf", connected=True, capacity=1)
    task = factories.pending()
    recovery.slot_lost(task.pk, deaf.pk, cause="Not accepted.", last_seen=None)
    again = factories.reread(task)
    assert offered_to(deaf) == [task.pk]
    assert again.epoch > task.epoch


def test_a_plan_without_a_fitting_engine_is_offered_anyway() -> None:
    """The agent says `engine_missing` within a second; nobody would ever say so otherwise."""
    agent = join("ada", engines=[{"name": "tofu", "version": "1.9.0"}])
    task = factories.pending()
    assert offered_to(agent) == [task.pk]


def test_an_agent_with_the_engine_is_preferred_to_a_fuller_one_without() -> None:
    without = factories.agent("without", connected=True, capacity=1, engines=[])
    fitting = factories.agent("fitting", connected=True, capacity=5)
    factories.pending()
    assert (len(offered_to(fitting)), offered_to(without)) == (1, [])


@pytest.mark.parametrize(
    "other",
    [
        {"engines": [{"name": "terraform", "version": "1.11.5"}]},
        {"engines": [{"name": "tofu", "version": "1.11.4"}]},
        {"os": "darwin"},
        {"arch": "arm64"},
    ],
    ids=["version", "engine", "os", "arch"],
)
def test_an_apply_needs_exactly_what_made_its_plan(other: dict[str, object]) -> None:
    join("other", **other)
    task = factories.confirmed(on=factories.agent())
    assert factories.reread(task).reason_code == "no_matching_agent"
    assert offered_to(join("fitting")) == [task.pk]


def test_a_task_beyond_the_fast_path_is_looked_at_when_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_moved, "send_robust", lambda **facts: [])
    first, second, newest = (factories.pending() for _ in range(3))
    dispatcher.dispatch(Pool.objects.local().pk, cause="created", task_id=newest.pk, most=1)
    codes = [factories.reread(task).reason_code for task in (first, second, newest)]
    assert codes == ["no_connected_agent", "dispatching", "no_connected_agent"]


def test_each_pool_is_a_world_of_its_own(static_pool: Pool) -> None:
    stranger = join("stranger", pool=static_pool)
    local, own = factories.pending(), factories.pending(workspace=workspace_of(static_pool))
    assert factories.reread(local).reason_code == "no_connected_agent"
    assert offered_to(stranger) == [own.pk]


def test_a_taken_slot_does_not_stop_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the constraint's answer taken as one task's bad luck, the whole pass would be undone."""
    real = attempts.offer
    first, second = factories.pending(), factories.pending()
    taken = factories.agent("taken", capacity=1)
    factories.planning(on=taken)

    def collide(task: Task, place: attempts.Place) -> object:
        return real(task, slot(taken, 0) if task.pk == first.pk else place)

    monkeypatch.setattr(attempts, "offer", collide)
    ada = join("ada", capacity=2)
    assert offered_to(ada) == [second.pk]
    assert factories.reread(first).lease == Lease.NONE
