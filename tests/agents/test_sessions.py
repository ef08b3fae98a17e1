"""Who may speak for an agent, and what a returning agent finds."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from agents import sessions, slots
from agents.models import Agent
from agents.protocol import Work
from agents.sessions import Rejected, Session
from iacplatform.base import clock
from pools.models import Pool, PoolToken
from tasks import cancellation, recovery
from tasks.models import Task
from tasks.states import Lease, Status
from tests.agents.conftest import Connect, Later
from tests.agents.scenes import offered_to, silence
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def work_of(*tasks: Task) -> tuple[Work, ...]:
    return tuple(Work(task=task.pk, epoch=task.epoch) for task in tasks)


def test_a_hello_makes_the_agent_known(connect: Connect) -> None:
    session, welcome = connect("ada", capacity=3)
    ada = Agent.objects.connected().get(pk=welcome.agent_id)
    assert (ada.name, ada.capacity, ada.session) == ("ada", 3, session.session)
    assert ada.engines == [{"name": "terraform", "version": "1.11.4"}]


def test_the_use_of_a_token_is_noted_once_a_minute(later: Later) -> None:
    token, text = PoolToken.issue(pool=Pool.objects.local())
    noted = []
    for seconds in (0, 30, 31):
        later(seconds)
        sessions.token_of(text)
        token.refresh_from_db()
        noted.append(token.last_used_at)
    assert noted[0] is not None
    assert noted[0] == noted[1] != noted[2]


def test_who_waited_for_an_agent_is_offered_to_it_at_once(connect: Connect) -> None:
    task = factories.pending()
    _, welcome = connect("ada")
    assert offered_to(Agent.objects.get(pk=welcome.agent_id)) == [task.pk]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"versions": ("0",)}, "version"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 65}, "capacity"),
        ({"name": "-rf"}, "name"),
        ({"name": "a" * 91}, "name"),
        ({"instance": ""}, "name"),
        ({"instance": "i" * 65}, "name"),
        ({"pod_name": "p" * 254}, "pod_name"),
    ],
)
def test_a_hello_without_sense_is_refused_for_good(connect: Connect, members: dict[str, object], code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        connect(**{"name": "ada", **members})
    assert (refusal.value.word.code, refusal.value.word.retry) == (code, False)
    assert not Agent.objects.exists()


def test_the_same_instance_takes_its_session_over(connect: Connect) -> None:
    old, welcome = connect("ada")
    new, again = connect("ada")
    assert welcome.agent_id == again.agent_id
    sessions.demand_open(new)
    with pytest.raises(Rejected, match="took over"):
        sessions.demand_open(old)
    with pytest.raises(Rejected, match="took over"):
        sessions.heartbeat(old, ())


def test_another_instance_of_that_name_is_refused_while_the_first_may_live(connect: Connect) -> None:
    connect("ada", instance="one")
    with pytest.raises(Rejected) as refusal:
        connect("ada", instance="two")
    assert (refusal.value.word.code, refusal.value.word.retry) == ("name_taken", True)


def test_a_dropped_socket_does_not_give_the_name_away(connect: Connect) -> None:
    session, _ = connect("ada", instance="one")
    sessions.close(session)
    with pytest.raises(Rejected, match="ada"):
        connect("ada", instance="two")


def test_it_is_accepted_when_the_first_one_was_silent_for_a_lease(connect: Connect, later: Later) -> None:
    _, first = connect("ada", instance="one")
    later(46)
    _, second = connect("ada", instance="two")
    assert first.agent_id == second.agent_id


def test_the_new_holder_of_a_name_has_nothing_of_the_old_one(connect: Connect, later: Later) -> None:
    _, welcome = connect("ada", instance="one", capacity=2)
    planning, _offered = factories.running(factories.pending()), factories.pending()
    later(46)
    connect("ada", instance="two", work=work_of(planning), capacity=2)
    planning = factories.reread(planning)
    assert (planning.status, planning.reason_code) == (Status.PENDING, "retry_backoff")
    assert not Task.objects.leased_by(welcome.agent_id).filter(lease=Lease.RUNNING).exists()


def test_an_agent_that_left_makes_room_for_its_name_at_once(connect: Connect) -> None:
    session, _ = connect("ada", instance="one")
    sessions.leave(session)
    sessions.close(session)
    connect("ada", instance="two")


def test_what_a_returning_agent_does_not_list_is_lost_at_once(connect: Connect) -> None:
    connect("ada")
    task = factories.running(factories.pending())
    _, welcome = connect("ada", work=())
    task = factories.reread(task)
    assert (task.status, task.lease, task.reason_code) == (Status.PENDING, Lease.NONE, "retry_backoff")
    assert welcome.keep == ()


def test_what_it_lists_goes_on(connect: Connect) -> None:
    connect("ada")
    task = factories.running(factories.pending())
    _, welcome = connect("ada", work=work_of(task))
    assert welcome.keep == work_of(task)
    assert factories.reread(task).status == Status.RUNNING


def test_what_is_over_is_not_kept(connect: Connect) -> None:
    connect("ada")
    task = factories.running(factories.pending())
    factories.finish(task, "failed", exit_code=1)
    stranger = Work(task=task.pk + 99, epoch=1)
    _, welcome = connect("ada", work=(*work_of(task), stranger))
    assert welcome.keep == ()


def test_an_offer_outlives_a_reconnection(connect: Connect) -> None:
    connect("ada")
    task = factories.pending()
    _, welcome = connect("ada")
    assert offered_to(Agent.objects.get(pk=welcome.agent_id)) == [task.pk]


def test_with_fewer_slots_it_keeps_what_it_runs_and_loses_the_rest(connect: Connect) -> None:
    """An apply that goes on is no lost apply, whatever number its slot had."""
    connect("ada", capacity=3)
    tasks = [factories.pending() for _ in range(3)]
    applying = factories.applying(on=Agent.objects.get())
    _, welcome = connect("ada", capacity=1, work=work_of(applying))
    assert welcome.keep == work_of(applying)
    assert factories.reread(applying).status == Status.RUNNING
    beyond = Task.objects.exclude(pk=applying.pk).filter(slot__gte=1).exclude(lease=Lease.NONE)
    assert not beyond.exists(), tasks


def test_a_heartbeat_prolongs_the_lease(connect: Connect, later: Later) -> None:
    session, welcome = connect("ada")
    later(40)
    assert sessions.heartbeat(session, ()) == []
    later(40)
    assert Agent.objects.connected().filter(pk=welcome.agent_id).exists()


def test_a_heartbeat_names_what_to_stop(connect: Connect) -> None:
    session, _ = connect("ada")
    task = factories.running(factories.pending())
    recovery.slot_lost(task.pk, task.agent_id, cause="Overtime.", last_seen=None)
    assert sessions.heartbeat(session, work_of(task)) == list(work_of(task))


def test_what_an_agent_forgot_is_lost_by_its_heartbeat(connect: Connect, later: Later) -> None:
    session, _ = connect("ada")
    task = factories.running(factories.pending())
    sessions.heartbeat(session, ())
    assert factories.reread(task).status == Status.RUNNING  # its Start may be on the way
    later(31)
    sessions.heartbeat(session, ())
    assert factories.reread(task).reason_code == "retry_backoff"


def test_a_lost_apply_that_its_agent_still_runs_holds_its_slot_again(connect: Connect) -> None:
    session, _ = connect("ada", capacity=1)
    task = factories.applying(on=Agent.objects.get())
    recovery.slot_lost(task.pk, task.agent_id, cause="Silent.", last_seen=None)
    assert factories.reread(task).lease == Lease.NONE
    assert sessions.heartbeat(session, work_of(task)) == []
    task = factories.reread(task)
    assert (task.status, task.lease) == (Status.NEEDS_ATTENTION, Lease.RUNNING)
    waiting = factories.pending()
    assert factories.reread(waiting).reason_code == "no_free_slot"
    assert factories.finish(task, "applied").status == Status.APPLIED


def test_the_same_after_a_reconnection(connect: Connect) -> None:
    connect("ada", capacity=1)
    task = factories.applying(on=Agent.objects.get())
    recovery.slot_lost(task.pk, task.agent_id, cause="Silent.", last_seen=None)
    _, welcome = connect("ada", capacity=1, work=work_of(task))
    assert welcome.keep == work_of(task)
    assert factories.reread(task).lease == Lease.RUNNING


def test_a_revoked_token_ends_the_session_at_the_next_heartbeat(connect: Connect, token: PoolToken) -> None:
    session, _ = connect("ada")
    token.revoke()
    with pytest.raises(Rejected) as refusal:
        sessions.heartbeat(session, ())
    assert (refusal.value.word.code, refusal.value.word.retry) == ("token_revoked", False)


def test_an_expired_token_ends_it_too(connect: Connect, token: PoolToken) -> None:
    session, _ = connect("ada")
    PoolToken.objects.filter(pk=token.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    with pytest.raises(Rejected, match="expired"):
        sessions.heartbeat(session, ())


@pytest.mark.parametrize("leave", [sessions.leave, lambda _: slots.drain(Agent.objects.get())])
def test_an_agent_that_is_to_leave_gives_back_what_it_does_not_run(
    connect: Connect, leave: Callable[[Session], None]
) -> None:
    session, _ = connect("ada", capacity=3)
    ada = Agent.objects.get()
    runs, kept = factories.running(factories.pending()), factories.awaiting_confirmation(on=ada)
    offered = factories.pending()
    leave(session)
    rows = {task.pk: (task.lease, task.reason_code) for task in Task.objects.all()}
    assert rows == {
        runs.pk: (Lease.RUNNING, ""),
        kept.pk: (Lease.NONE, "reservation_lost"),
        offered.pk: (Lease.NONE, "no_connected_agent"),
    }


def test_a_drained_agent_stays_drained_while_it_has_work(connect: Connect) -> None:
    connect("ada")
    task = factories.running(factories.pending())
    Agent.objects.update(draining=True)
    connect("ada", work=work_of(task))
    assert Agent.objects.get().draining


def test_one_that_left_and_came_back_takes_work_again(connect: Connect) -> None:
    connect("ada")
    Agent.objects.update(draining=True)
    connect("ada")
    assert not Agent.objects.get().draining


def test_a_drained_pod_takes_nothing_new_however_often_it_connects(connect: Connect) -> None:
    connect("ada", pod_name="pod-1")
    Agent.objects.update(draining=True)
    connect("ada", pod_name="pod-1")
    assert Agent.objects.get().draining


def test_a_cancelled_offer_is_no_ones_work(connect: Connect) -> None:
    session, _ = connect("ada")
    task = factories.reread(factories.pending())
    cancellation.cancel(task, by=factories.person())
    assert sessions.heartbeat(session, (Work(task=task.pk, epoch=1),)) == [Work(task=task.pk, epoch=1)]


def test_an_expired_agent_that_speaks_again_is_connected_again(connect: Connect) -> None:
    session, welcome = connect("ada")
    silence(Agent.objects.get())
    sessions.heartbeat(session, ())
    assert Agent.objects.connected().filter(pk=welcome.agent_id).exists()
