"""One sweep at a time, in one chain of jobs, whatever is started, killed or stalled."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django_q.models import OrmQ, Schedule

from agents import jobs, presence, sweep
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from tests.agents.scenes import offered_to
from tests.other_process import hold
from tests.races.racing import race
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 0)


def queued() -> list[dict[str, Any]]:
    return [row.task for row in OrmQ.objects.all()]


def test_two_sweeps_are_one(other: psycopg.Connection) -> None:
    sweep.sweep()
    hold(other, sweep.LOCK)
    assert sweep.sweep() is False
    other.execute("SELECT pg_advisory_unlock_all()")
    assert sweep.sweep() is True


def test_a_stalled_sweeper_does_not_keep_the_others_from_it(other: psycopg.Connection) -> None:
    """Its process was stopped with the lock in its hands; its work may be done twice, so nobody has to wait for it."""
    hold(other, sweep.LOCK)
    Beat.objects.create(name=SWEEP, at=clock.now() - timedelta(seconds=31))
    assert sweep.sweep() is True


def test_the_lock_of_a_dead_sweeper_is_gone_with_it(other: psycopg.Connection, eventually: Callable[..., None]) -> None:
    Beat.objects.strike(SWEEP)
    hold(other, sweep.LOCK)
    other.close()
    eventually(sweep.sweep)


def chain() -> str:
    """Return the name of a chain that was just started, with its first link taken from the queue."""
    jobs.start_sweeping()
    OrmQ.objects.all().delete()
    return Beat.objects.get(name__startswith=jobs.CHAIN_BEAT).name


def test_a_link_of_the_chain_queues_the_next_one() -> None:
    name = chain()
    jobs.sweep_on(name)
    assert [(task["func"], task["args"]) for task in queued()] == [(jobs.CHAIN, (name,))]
    assert Beat.objects.last_sweep() is not None


def test_its_successes_are_not_kept() -> None:
    """43,000 rows a day that say nothing; failures are kept (django-q2 looks at `save` only after a success)."""
    jobs.sweep_on(chain())
    assert queued()[0]["save"] is False


def test_a_link_of_a_chain_that_was_replaced_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """django-q2 delivers the job of a killed worker again, when another chain may have begun."""
    old = chain()
    clock.shift(timedelta(seconds=60))
    new = chain()
    monkeypatch.setattr(sweep, "sweep", pytest.fail)
    jobs.sweep_on(old)
    assert old != new and queued() == []


def test_two_starts_at_once_make_one_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 2)
    assert race(jobs.start_sweeping, jobs.start_sweeping) == [None, None]
    assert len(queued()) == 1


def test_a_failing_sweep_does_not_break_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("broken")

    name = chain()
    monkeypatch.setattr(sweep, "sweep", fail)
    with pytest.raises(ValueError, match="broken"):
        jobs.sweep_on(name)
    assert len(queued()) == 1


def test_a_broken_chain_is_started_again_although_web_processes_sweep() -> None:
    chain()
    clock.shift(timedelta(seconds=60))
    sweep.sweep()
    jobs.start_sweeping()
    assert len(queued()) == 1


def test_a_sound_chain_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.sweep_on(chain())
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 2)
    jobs.start_sweeping()
    assert len(queued()) == 1


def test_the_schedule_is_there_once() -> None:
    for _ in range(2):
        jobs.plan_sweeping()
    schedule = Schedule.objects.get(name="sweep")
    assert (schedule.func, schedule.minutes, schedule.repeats) == (jobs.RESTART, 1, -1)


def test_a_web_process_says_that_it_is_at_work() -> None:
    presence.beat("web:1")
    assert Beat.objects.filter(name="web:1").exists()


def test_it_sweeps_itself_when_nobody_else_does() -> None:
    ada = factories.agent("ada", connected=True)
    Beat.objects.create(name=SWEEP, at=clock.now() - timedelta(seconds=11))
    task = factories.backing_off()
    clock.shift(timedelta(seconds=12))
    presence.step_in()
    assert offered_to(ada) == [task.pk]


def test_it_leaves_a_sound_sweep_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Beat.objects.strike(SWEEP)
    monkeypatch.setattr(sweep, "sweep", pytest.fail)
    presence.step_in()
