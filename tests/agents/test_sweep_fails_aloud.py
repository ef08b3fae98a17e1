"""A sweep that fails at a step each time is as bad as none: it is told, and who stands still for it counts as stuck."""

import pytest
from django.test import Client

from agents import faults, sweep
from iacplatform.base.models import Beat
from tasks import scheduler
from tasks.models import Task
from tasks.signals import task_moved
from tests import factories as rows
from tests.agents.conftest import Later
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def fail(*args: object) -> None:
    raise RuntimeError("It fails.")


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Task:
    """A task whose turn it is, of which neither the news nor the sweep can say so."""
    with monkeypatch.context() as patch:
        patch.setattr(task_moved, "send_robust", lambda **facts: [])
        first = factories.planning()
        second = factories.pending(workspace=first.workspace)
        factories.finish(first, "failed", exit_code=1)
    monkeypatch.setattr(scheduler, "advance", fail)
    return factories.reread(second)


def sweep_twice(later: Later) -> None:
    sweep.sweep()
    later(2)
    sweep.sweep()


def told() -> list[str]:
    return [fault for fault in faults.faults() if "step 'queues' has failed each time" in fault]


def is_stuck(task: Task) -> bool:
    return Task.objects.stuck().filter(pk=task.pk).exists()


def test_a_step_that_failed_once_is_no_news(forgotten: Task) -> None:
    sweep.sweep()
    assert not told() and not is_stuck(forgotten)


def test_a_step_that_fails_each_time_is_told_by_the_doctor(forgotten: Task, later: Later) -> None:
    sweep_twice(later)
    assert told()


def test_a_task_that_stands_still_for_it_is_stuck_and_its_like_are_not(forgotten: Task, later: Later) -> None:
    behind = factories.pending(workspace=forgotten.workspace)
    sweep_twice(later)
    assert is_stuck(forgotten) and not is_stuck(behind)


def test_the_first_page_and_the_metrics_tell_it(forgotten: Task, later: Later, client: Client) -> None:
    sweep_twice(later)
    client.force_login(rows.admin())
    assert "The sweep fails each time at: queues." in client.get("/").content.decode()
    assert "iac_sweep_steps_failing 1.0" in client.get("/metrics").content.decode()


def test_a_step_that_succeeds_again_is_told_no_more(
    forgotten: Task, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_twice(later)
    monkeypatch.undo()
    sweep.sweep()
    assert not told() and not is_stuck(forgotten) and not Beat.objects.failing().exists()


def test_a_row_that_fails_keeps_the_sweep_from_no_other(
    monkeypatch: pytest.MonkeyPatch, later: Later, forgotten: Task
) -> None:
    monkeypatch.undo()
    advance = scheduler.advance
    broken = forgotten.workspace_id
    with monkeypatch.context() as patch:
        patch.setattr(task_moved, "send_robust", lambda **facts: [])
        first = factories.planning()
        second = factories.pending(workspace=first.workspace)
        factories.finish(first, "failed", exit_code=1)
    monkeypatch.setattr(scheduler, "advance", lambda name: fail() if name == broken else advance(name))
    sweep_twice(later)
    assert factories.reread(second).status == "pending"
    assert told()
