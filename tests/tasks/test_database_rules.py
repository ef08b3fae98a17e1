"""What must never be, the database refuses too: raw SQL that breaks a rule is turned down, whoever sends it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from tasks.models import Task
from tests.tasks import factories

pytestmark = pytest.mark.django_db

RUNS = "status = 'running', reason = NULL, reason_code = ''"
"""What the report of incident 484 found: a status, and nothing behind it."""

REASON = '\'{"code": "dispatching"}\''


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def change(task: Task, columns: str) -> None:
    sql(f"UPDATE tasks_task SET {columns} WHERE id = %s", task.pk)


BROKEN: list[tuple[str, Callable[[], Task], str, str]] = [
    ("running without an agent", factories.planning, "agent_id = ''", "an_agent|an_owner"),
    ("running without a slot", factories.planning, "slot = NULL", "an_agent|an_owner"),
    ("running without an epoch", factories.planning, "epoch = 0", "task_runs_on_an_agent"),
    ("running without a deadline", factories.planning, "deadline = NULL", "task_runs_on_an_agent"),
    ("running without a lease", factories.planning, "lease = ''", "task_runs_on_an_agent"),
    ("running without a phase", factories.planning, "phase = ''", "task_runs_on_an_agent"),
    ("running on a slot that is only kept", factories.confirmed, RUNS, "task_runs_on_an_agent|task_lease_fits"),
    ("running from nowhere", factories.pending, RUNS, "task_runs_on_an_agent"),
    ("offered by nobody", factories.offered, "agent_id = ''", "task_lease_has_an_owner"),
    ("reserved without a slot", factories.confirmed, "slot = NULL", "task_lease_has_an_owner"),
    ("offered without an end", factories.offered, "lease_expires_at = NULL", "task_lease_fits_its_status"),
    ("reserved without an end", factories.confirmed, "lease_expires_at = NULL", "task_lease_fits_its_status"),
    ("reserved for a plan", factories.offered, "lease = 'reserved'", "task_lease_fits_its_status"),
    ("a final task with a slot", factories.applied, "lease = 'running'", "task_lease_fits_its_status"),
    ("a lease of an unknown kind", factories.offered, "lease = 'kept'", "task_lease_fits_its_status"),
    ("waiting without a reason", factories.pending, "reason = NULL", "task_waits_for_a_reason"),
    ("waiting without the reason's code", factories.pending, "reason_code = ''", "task_waits_for_a_reason"),
    ("waiting without a next look", factories.confirmed, "next_check_at = NULL", "task_waits_for_a_reason"),
    ("running with a reason", factories.planning, f"reason = {REASON}", "task_waits_for_a_reason"),
    ("final with a reason", factories.applied, f"reason = {REASON}", "task_waits_for_a_reason"),
    ("confirmed by nobody", factories.confirmed, "confirmed_at = NULL", "task_confirmed_by_plan"),
    ("confirmed without a plan", factories.confirmed, "plan_digest = ''", "task_confirmed_by_plan"),
    ("applied without a confirmation", factories.applied, "confirmed_at = NULL", "task_confirmed_by_plan"),
    ("final without an end", factories.failed, "completed_at = NULL", "task_completed_when_final"),
    ("ended and not final", factories.pending, "completed_at = now()", "task_completed_when_final"),
]


@pytest.mark.parametrize(("make", "columns", "rule"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_the_database_refuses(make: Callable[[], Task], columns: str, rule: str) -> None:
    task = make()
    with pytest.raises(IntegrityError, match=rule):
        change(task, columns)


def test_one_slot_holds_one_task() -> None:
    agent = factories.agent()
    first, second = factories.planning(on=agent), factories.planning(on=agent)
    with pytest.raises(IntegrityError, match="task_per_slot"):
        change(second, f"slot = {first.slot}")


def test_the_slot_of_an_ended_task_is_free_for_another() -> None:
    agent = factories.agent()
    first, second = factories.planning(on=agent), factories.planning(on=agent)
    factories.finish(first, "failed", exit_code=1)
    change(second, f"slot = {first.slot}")


def test_one_workspace_has_one_task_at_work_that_changes_things() -> None:
    first = factories.planning()
    second = factories.pending(workspace=first.workspace)
    with pytest.raises(IntegrityError, match="task_per_workspace"):
        change(second, "status = 'pending'")


@pytest.mark.parametrize("make", [factories.needing_attention, factories.awaiting_confirmation, factories.confirmed])
def test_a_task_that_waits_for_people_keeps_its_workspace(make: Callable[[], Task]) -> None:
    second = factories.pending(workspace=make().workspace)
    with pytest.raises(IntegrityError, match="task_per_workspace"):
        change(second, "status = 'pending'")


def test_any_number_of_plans_that_change_nothing_run_beside_it() -> None:
    first = factories.planning()
    for _ in range(2):
        assert factories.planning(workspace=first.workspace, task_type="plan").status == "running"


def test_an_epoch_of_a_task_has_one_attempt() -> None:
    attempt = factories.planning().attempts.get()
    with pytest.raises(IntegrityError, match="attempt_epoch_is_unique"):
        sql(
            "INSERT INTO tasks_attempt (task_id, epoch, phase, number, agent_id, agent_name, pod_name, slot, outcome, "
            "cause, log_stored) VALUES (%s, %s, 'plan', 2, 'b', 'b', '', 0, '', '', 0)",
            attempt.task_id,
            attempt.epoch,
        )


def test_history_is_only_added_to() -> None:
    task = factories.planning()
    with pytest.raises(IntegrityError, match="history of a task never changes"):
        sql("UPDATE tasks_taskevent SET reason = 'It was like this.' WHERE task_id = %s", task.pk)


def test_nobody_takes_a_piece_out_of_a_history() -> None:
    task = factories.planning()
    with pytest.raises(IntegrityError, match="history of a task"):
        sql("DELETE FROM tasks_taskevent WHERE task_id = %s", task.pk)
