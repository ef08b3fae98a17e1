"""Which tasks count as stuck: those that need help, and those that should have moved by now."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q

from agents import presence, waits
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import SILENT_SECONDS, SWEEP, Beat
from tasks import moves, reasons
from tasks.models import Task, outlook
from tasks.reasons import Code, Turn, WaitReason
from tests.tasks import cells, factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def signs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let signs be added until the test ends."""
    with monkeypatch.context() as patch:
        patch.setattr(outlook, "_signs", {**outlook._signs})
        yield
    outlook.is_stuck.cache_clear()


def busy(task: Task) -> Task:
    """Say that every slot is taken, which may last for hours."""
    reason = WaitReason(
        code=Code.NO_FREE_SLOT, turn=Turn.MACHINE, message="Busy.", remedy="Wait.", grace_seconds=4 * 3600
    )
    moves.explain_wait(task, reason)
    return factories.reread(task)


def later(**span: int) -> None:
    clock.shift(timedelta(**span))


def be_well() -> None:
    """Let agents and the sweep be heard of."""
    Agent.objects.update(lease_until=clock.In(seconds=45))
    Beat.objects.strike(SWEEP)


def seen(task: Task) -> Task:
    return Task.objects.with_outlook().get(pk=task.pk)


def shown(task: Task) -> dict[str, Any]:
    reason = seen(task).wait_reason
    assert reason is not None
    return reason


def test_a_task_that_needs_attention_is_stuck() -> None:
    task = factories.needing_attention()
    assert list(Task.objects.stuck()) == [task]
    assert seen(task).is_stuck


@pytest.mark.usefixtures("signs")
def test_a_sign_counts_from_when_it_is_added() -> None:
    task = factories.awaiting_confirmation()
    assert not seen(task).is_stuck
    outlook.add_sign("of a test", lambda: Q(pk=task.pk))
    assert seen(task).is_stuck


def test_a_plan_may_wait_for_its_reader_for_days() -> None:
    task = factories.awaiting_confirmation()
    later(days=3)
    assert not seen(task).is_stuck


def test_a_task_past_its_deadline_is_stuck() -> None:
    task = busy(factories.pending())
    later(hours=5)
    Beat.objects.strike(SWEEP)
    assert seen(task).is_stuck


def test_a_task_that_waits_for_a_slot_is_not_stuck_while_the_sweep_looks_at_it() -> None:
    task = busy(factories.pending())
    later(minutes=20)
    Beat.objects.strike(SWEEP)
    assert not seen(task).is_stuck


def test_a_task_that_nobody_looks_at_is_stuck_and_says_so() -> None:
    Beat.objects.strike(SWEEP)
    task = busy(factories.pending())
    later(seconds=20)
    assert shown(task)["code"] == "no_free_slot"
    later(seconds=13)
    reason = shown(task)
    assert (reason["code"], reason["turn"]) == ("scheduler_silent", "machine")
    assert "manage.py qcluster" in reason["remedy"] and "manage.py up" in reason["remedy"]
    assert seen(task).is_stuck


def test_a_task_that_nobody_ever_looked_at_is_stuck_as_well() -> None:
    task = factories.pending()
    later(seconds=33)
    reason = shown(task)
    assert reason["code"] == "scheduler_silent"
    assert "at all" in reason["message"]
    assert reason["since"] == task.reason_since
    assert seen(task).is_stuck


def test_the_reason_before_it_is_kept_with_what_can_be_done() -> None:
    Beat.objects.strike(SWEEP)
    task = busy(factories.pending())
    before = shown(task)
    last_look = Beat.objects.last_sweep()
    later(minutes=2)
    reason = shown(task)
    assert reason["evidence"]["before"]["code"] == before["code"]
    assert reason["evidence"]["before"]["message"] == before["message"]
    assert before["message"] in reason["message"]
    assert reason["since"] == last_look
    assert reason["actions"] == before["actions"]
    json.dumps(reason["evidence"])


def test_a_sweep_brings_the_reason_back() -> None:
    task = busy(factories.pending())
    later(minutes=2)
    assert shown(task)["code"] == "scheduler_silent"
    Beat.objects.strike(SWEEP)
    assert shown(task)["code"] == "no_free_slot"
    assert not seen(task).is_stuck


@pytest.mark.parametrize("make", [factories.pending, factories.confirmed, cells.queued], ids=lambda make: make.__name__)
def test_whatever_the_sweep_moves_on_turns_silent(make: Callable[[], Task]) -> None:
    task = make()
    later(seconds=33)
    assert shown(task)["code"] == "scheduler_silent"
    assert list(Task.objects.stuck().filter(pk=task.pk)) == [task]


@pytest.mark.parametrize("make", [factories.awaiting_confirmation, factories.stale, factories.needing_attention])
def test_what_people_move_on_keeps_its_reason_and_is_warned_of(make: Callable[[], Task]) -> None:
    task = make()
    later(seconds=33)
    assert shown(task)["code"] == task.reason_code
    assert [warning["code"] for warning in seen(task).warnings] == ["scheduler_silent"]


def test_a_web_process_that_steps_in_keeps_the_bound_twice() -> None:
    assert SILENT_SECONDS == 2 * (presence.SILENT_SECONDS + presence.BEAT_SECONDS)


def test_a_task_in_the_queue_is_never_late() -> None:
    task = cells.queued()
    later(days=3)
    Beat.objects.strike(SWEEP)
    assert not seen(task).is_stuck


def test_settings_that_stay_wrong_are_stuck_after_their_grace() -> None:
    task = factories.pending(workspace=factories.workspace(execution_mode="agent"))
    moves.explain_wait(task, waits.pool_missing(task.workspace))
    soon = waits.CONFIG_GRACE_SECONDS * 6 // 10
    later(seconds=soon)
    Beat.objects.strike(SWEEP)
    assert not seen(task).is_stuck
    later(seconds=waits.CONFIG_GRACE_SECONDS + 1 - soon)
    Beat.objects.strike(SWEEP)
    assert seen(task).is_stuck


def test_a_running_task_past_its_deadline_is_stuck() -> None:
    task = factories.planning()
    Beat.objects.strike(SWEEP)
    assert not seen(task).is_stuck
    Task.objects.filter(pk=task.pk).update(deadline=clock.now() - timedelta(seconds=1))
    assert seen(task).is_stuck


@pytest.mark.parametrize(("make", "seconds"), [(factories.planning, 300), (factories.applying, 600)])
def test_a_phase_that_outlasts_its_time_out_is_stuck_when_its_agent_had_time_to_end_it(
    make: Callable[..., Task], seconds: int
) -> None:
    task = make(workspace=factories.workspace(plan_timeout_seconds=100, apply_timeout_seconds=100))
    soon = 100 + seconds * 6 // 10
    later(seconds=soon)
    be_well()
    assert not seen(task).is_stuck
    later(seconds=100 + seconds + 2 - soon)
    be_well()
    assert seen(task).is_stuck


def test_ended_tasks_are_not_stuck() -> None:
    task = factories.applied()
    later(days=3)
    assert not seen(task).is_stuck


def test_the_next_look_follows_the_last_one_although_the_reason_was_not_written_again() -> None:
    task = busy(factories.pending())
    later(minutes=20)
    Beat.objects.strike(SWEEP)
    last_look = Beat.objects.last_sweep()
    assert last_look is not None
    assert shown(task)["next_check_at"] == last_look + timedelta(seconds=2)


def test_without_a_sweep_the_next_look_is_the_one_that_was_promised() -> None:
    task = factories.pending()
    assert shown(task)["next_check_at"] == task.next_check_at
    assert shown(task)["code"] == reasons.Code.DISPATCHING
