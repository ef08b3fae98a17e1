"""All that came late of a task is one list, whatever became of the task."""

from datetime import timedelta
from typing import Any

import pytest

from agents import evidence, reports
from agents.models import Agent
from agents.sessions import Session
from iacplatform.base import clock
from tasks.models import Task
from tests import factories as rows
from tests.evidence import people
from tests.evidence.words import finished, log
from tests.tasks import factories
from workspaces.models import KeptState

pytestmark = pytest.mark.django_db(transaction=True)


def keep_state(task: Task) -> KeptState:
    """Keep a state aside that this row's attempt sent."""
    columns: dict[str, Any] = {"workspace_id": task.workspace_id, "task_id": task.pk, "epoch": task.epoch}
    facts = {"serial": 5, "lineage": "l", "digest": "0" * 64, "size": 1234, "resources": 2, "sealed_content": b""}
    return KeptState.objects.create(**columns, **facts, why="It came too late.", created_by="task")


def test_a_task_that_nothing_came_late_of_has_none(session: Session, ada: Agent) -> None:
    task = factories.applying(on=ada)
    reports.handle(session, log(task, 0, b"one\n"))
    reports.handle(session, finished(task, log_bytes=4))
    assert evidence.of(task) == []


def test_log_result_and_state_are_listed_in_their_order(session: Session, lost: Task) -> None:
    reports.handle(session, log(lost, 0, b"one\n"))
    people.mark_failed(lost)
    for word in (log(lost, 4, b"two\n"), finished(lost, "failed", exit_code=1, error_message="No quota.")):
        clock.shift(timedelta(seconds=1))
        reports.handle(session, word)
    kept = keep_state(lost)
    said, result, state = evidence.of(factories.reread(lost))
    assert [said.kind, result.kind, state.kind] == ["log", "result", "state"]
    assert {(each.phase, each.attempt, each.epoch) for each in (said, result, state)} == {("apply", 1, lost.epoch)}
    assert "8 bytes of its log" in said.text and "from byte 0 on" in said.text
    assert "ada said late how it ended: failed, exit status 1, after 2.5 s. No quota." in result.text
    assert f"number {kept.pk}. It came too late." in state.text and state.kept_state == kept.pk


def test_an_interrupted_plan_has_evidence_too(session: Session, ada: Agent) -> None:
    first = factories.planning(on=ada)
    reports.handle(session, log(first, 0, b"in time\n"))
    clock.shift(timedelta(seconds=1))
    factories.lose(first)
    clock.shift(timedelta(seconds=1))
    reports.handle(session, log(first, 8, b"late\n"))
    (late,) = evidence.of(first)
    assert (late.phase, late.epoch) == ("plan", first.epoch) and "from byte 8 on" in late.text


def test_the_api_lists_it_of_a_task_of_any_status(session: Session, given_up: Task) -> None:
    reports.handle(session, finished(given_up))
    address = f"/api/v1/workspaces/{given_up.workspace_id}/tasks/{given_up.pk}/evidence"
    (row,) = rows.client(rows.admin()).get(address).json()["results"]
    assert (row["kind"], row["epoch"], row["kept_state"]) == ("result", given_up.epoch, None)
    assert rows.client(rows.person()).get(address).status_code == 404


def test_the_rest_of_the_log_of_a_run_that_ended_by_itself_is_no_evidence(session: Session, ada: Agent) -> None:
    task = factories.applying(on=ada)
    reports.handle(session, finished(task, log_bytes=4))
    clock.shift(timedelta(seconds=1))
    reports.handle(session, log(task, 0, b"one\n"))
    assert evidence.of(task) == []
