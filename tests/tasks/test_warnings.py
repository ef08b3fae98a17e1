"""A task that runs is warned of before its time-out, its agent's end or its engine's silence makes it a failure."""

from datetime import timedelta

import pytest

from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from tasks import attempts
from tasks.models import LogChunk, Task
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def later(**span: int) -> None:
    """Let time pass while agents and the sweep are well."""
    clock.shift(timedelta(**span))
    now = clock.now()
    Agent.objects.update(last_seen_at=now, lease_until=now + timedelta(seconds=45))
    Beat.objects.strike(SWEEP)


def codes(task: Task) -> list[str]:
    return [warning["code"] for warning in seen(task).warnings]


def seen(task: Task) -> Task:
    return Task.objects.with_outlook().get(pk=task.pk)


def test_a_task_that_is_well_is_not_warned_of() -> None:
    task = factories.planning()
    later(minutes=9)
    assert codes(task) == []
    assert codes(factories.applied()) == []


def test_an_engine_that_says_nothing_is_warned_of() -> None:
    task = factories.planning()
    begun = attempts.newest_of(task).accepted_at
    later(minutes=11)
    assert codes(task) == ["no_output"]
    assert seen(task).warnings[0]["since"] == begun
    LogChunk.objects.create(attempt=attempts.newest_of(task), offset=0, data=b"Still creating...\n")
    assert codes(task) == []
    later(minutes=11)
    assert codes(task) == ["no_output"]


def test_a_phase_near_its_time_out_is_warned_of() -> None:
    task = factories.planning(workspace=factories.workspace(plan_timeout_seconds=100))
    later(seconds=60)
    assert codes(task) == []
    later(seconds=21)
    assert codes(task) == ["near_timeout"]
    later(seconds=20)
    assert codes(task) == ["past_timeout"]


def test_an_apply_has_the_time_out_of_applies() -> None:
    place = factories.workspace(plan_timeout_seconds=100, apply_timeout_seconds=200)
    task = factories.applying(workspace=place)
    later(seconds=120)
    assert codes(task) == []
    later(seconds=45)
    assert codes(task) == ["near_timeout"]


def test_an_agent_that_misses_two_heartbeats_is_warned_of() -> None:
    task = factories.planning(on=factories.agent(connected=True))
    clock.shift(timedelta(seconds=15))
    Beat.objects.strike(SWEEP)
    assert codes(task) == []
    clock.shift(timedelta(seconds=11))
    assert codes(task) == ["agent_silent"]
    until = Agent.objects.get().lease_until
    assert f"At {until:%H:%M:%S} UTC it is given up" in seen(task).warnings[0]["message"]


def test_a_cancel_that_takes_long_is_warned_of() -> None:
    task = factories.cancelling()
    later(seconds=36)
    assert codes(task) == []
    later(seconds=25)
    assert codes(task) == ["cancel_slow"]


def test_a_running_task_that_no_sweep_watches_over_is_warned_of() -> None:
    Beat.objects.strike(SWEEP)
    task = factories.planning()
    clock.shift(timedelta(seconds=31))
    assert codes(task)[0] == "scheduler_silent"
    assert seen(task).wait_reason is None
    Beat.objects.strike(SWEEP)
    assert "scheduler_silent" not in codes(task)


def test_a_row_without_its_outlook_has_no_warnings() -> None:
    task = factories.planning()
    clock.shift(timedelta(hours=1))
    assert factories.reread(task).warnings == []
