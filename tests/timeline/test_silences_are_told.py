"""A gap between heartbeats is written down once, when it ends or its agent is given up, and told where it matters."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from agents import sessions, silences, sweep
from agents.models import Agent, Silence
from agents.protocol import Work
from agents.sessions import Session
from iacplatform.base import clock
from iacplatform.base.models import Beat
from tasks import attempts
from tasks.models import Task
from tasks.timeline import Kind
from tests.tasks import factories
from tests.timeline.conftest import Told

pytestmark = pytest.mark.django_db(transaction=True)

Connect = Callable[..., Session]


@pytest.fixture
def at_work() -> None:
    """A web process has been storing heartbeats for an hour, and goes on to."""
    now = clock.now()
    hours = timedelta(hours=1)
    Beat.objects.create(name="web:1", at=now + hours, unbroken_since=now - hours)


def later(seconds: float) -> None:
    clock.shift(timedelta(seconds=seconds))


def begun_on(session: Session) -> Task:
    """Return a task whose plan the agent has begun."""
    task = factories.pending()
    task = factories.reread(task)
    attempts.accept(task.pk, task.epoch, session.agent_id)
    return factories.reread(task)


def work_of(task: Task) -> tuple[Work, ...]:
    return (Work(task=task.pk, epoch=task.epoch),)


def test_heartbeats_in_time_leave_no_row(connect: Connect) -> None:
    session = connect()
    for _ in range(5):
        later(20)
        sessions.heartbeat(session, ())
    assert not Silence.objects.exists()


@pytest.mark.usefixtures("at_work")
def test_a_late_heartbeat_leaves_one_row(connect: Connect, told: Told) -> None:
    session = connect()
    task = begun_on(session)
    later(30)
    sessions.heartbeat(session, work_of(task))
    later(10)
    sessions.heartbeat(session, work_of(task))
    row = Silence.objects.get()
    assert row.cause == "late" and row.heard_at is not None
    assert 30 <= (row.heard_at - row.silent_from).total_seconds() < 40
    (gap,) = told(task, Kind.HEARTBEAT_GAP)
    assert gap.text.startswith("No heartbeat of agent ada came for 3") and "stayed open" in gap.cause
    assert gap.at == row.silent_from


@pytest.mark.usefixtures("at_work")
@pytest.mark.parametrize(("closes", "cause"), [(True, "connection_lost"), (False, "session_replaced")])
def test_who_comes_back_after_a_silence_says_how_it_was_lost(connect: Connect, closes: bool, cause: str) -> None:
    session = connect()
    if closes:
        sessions.close(session)
    later(30)
    connect()
    assert Silence.objects.get().cause == cause


@pytest.mark.parametrize("unbroken_seconds", [None, 2.0, 20.0])
def test_a_silence_in_an_outage_of_ours_is_said_to_be_ours(
    connect: Connect, told: Told, unbroken_seconds: float | None
) -> None:
    """The web processes were away, and are back for less time than an agent may be late."""
    session = connect()
    task = begun_on(session)
    later(120)
    now = clock.now()
    if unbroken_seconds is not None:
        Beat.objects.create(name="web:2", at=now, unbroken_since=now - timedelta(seconds=unbroken_seconds))
    sessions.heartbeat(session, work_of(task))
    (gap,) = told(task, Kind.HEARTBEAT_GAP)
    assert gap.actor == "platform:web" and "The platform itself was not at work" in gap.cause


def test_an_agent_that_stays_away_after_an_outage_of_ours_is_silent_itself(connect: Connect, told: Told) -> None:
    session = connect()
    task = begun_on(session)
    later(120)
    now = clock.now()
    Beat.objects.create(name="web:2", at=now, unbroken_since=now - timedelta(seconds=40))
    sessions.heartbeat(session, work_of(task))
    (gap,) = told(task, Kind.HEARTBEAT_GAP)
    assert gap.actor == "agent:ada" and "stayed open" in gap.cause


def test_who_comes_back_at_once_was_not_silent(connect: Connect) -> None:
    sessions.close(connect())
    later(5)
    connect()
    assert not Silence.objects.exists()


def test_an_agent_that_is_given_up_is_silent_until_it_is_heard_again(connect: Connect, told: Told) -> None:
    session = connect()
    task = begun_on(session)
    later(50)
    now = clock.now()
    Beat.objects.create(name="web:1", at=now, unbroken_since=now - timedelta(seconds=60))
    sweep.sweep()
    sweep.sweep()
    (gap,) = told(task, Kind.HEARTBEAT_GAP)
    assert gap.text == "No heartbeat of agent ada came after this one." and "lease" in gap.cause
    later(10)
    connect()
    row = Silence.objects.get()
    assert (row.cause, row.heard_at is not None) == ("lease_lost", True)


@pytest.mark.usefixtures("at_work")
def test_an_agent_whose_name_is_taken_was_silent(connect: Connect) -> None:
    connect()
    later(50)
    connect(instance="another")
    assert Silence.objects.get().cause == "name_taken"


def test_a_silence_before_the_attempt_is_not_the_task_s(connect: Connect, told: Told) -> None:
    session = connect()
    later(30)
    sessions.heartbeat(session, ())
    assert Silence.objects.count() == 1
    assert told(begun_on(session), Kind.HEARTBEAT_GAP) == []


def test_a_silence_after_the_attempt_is_not_the_task_s(connect: Connect, told: Told) -> None:
    session = connect()
    task = factories.finish(begun_on(session), "failed", exit_code=1)
    later(5)
    sessions.heartbeat(session, ())
    later(30)
    sessions.heartbeat(session, ())
    assert told(task, Kind.HEARTBEAT_GAP) == []


def test_a_silence_of_another_agent_is_not_the_task_s(connect: Connect, told: Told) -> None:
    task = begun_on(connect())
    other = connect("bob")
    later(30)
    sessions.heartbeat(other, ())
    assert told(task, Kind.HEARTBEAT_GAP) == []


def test_old_silences_are_forgotten_by_the_sweep() -> None:
    agent = factories.agent()
    age = silences.KEEP + timedelta(days=1)
    Silence.objects.create(agent=agent, silent_from=clock.now() - age, heard_at=clock.now(), cause="late")
    Silence.objects.create(agent=agent, silent_from=clock.now(), heard_at=clock.now(), cause="late")
    sweep.sweep()
    assert Silence.objects.count() == 1


def test_a_session_that_is_over_is_not_prolonged_by_a_late_heartbeat(connect: Connect) -> None:
    old = connect()
    connect()
    later(30)
    with pytest.raises(sessions.Rejected):
        sessions.heartbeat(old, ())
    assert not Silence.objects.exists()
    assert Agent.objects.expired().count() == 0
