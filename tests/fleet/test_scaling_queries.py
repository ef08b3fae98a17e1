"""A pass costs the database the same number of statements for one pool and for a hundred with a thousand pods."""

import re
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.fleet import demand
from agents.models import Agent
from iacplatform.base import clock, ids
from iacplatform.base.models import Beat
from pools.models import Pod, PodPhase, Pool
from tasks.models import Task
from tests.fleet import pods
from tests.tasks import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

PODS = 10


def pool_at_work() -> Pool:
    """Return a pool of ten pods: one works, the others are idle; and a task that waits."""
    pool = pods.pool(max_replicas=1000)
    for _ in range(PODS):
        pods.served(pool, seconds=3600)
    factories.running(pods.pending(pool), on=Agent.objects.order_by("name")[0])
    pods.pending(pool)
    return pool


def copies_of(pool: Pool, count: int) -> list[Pool]:
    """Return so many pools that are like this one."""
    made = [_copy(pool, pool_id=ids.pool_id(), name=f"copy-{number}") for number in range(count)]
    Pool.objects.bulk_create(made)
    for model in (Pod, Agent, Workspace):
        known = list(model._default_manager.filter(pool=pool))
        model._default_manager.bulk_create([_of(each, number, made) for each in known for number in range(count)])
    tasks = list(Task.objects.filter(workspace__pool=pool).select_related("workspace"))
    Task.objects.bulk_create([_task_of(each, number) for each in tasks for number in range(count)])
    return made


def _copy(row: Any, **columns: object) -> Any:
    made = copy(row)
    made.pk, made._state = None, type(row._state)()
    for name, value in columns.items():
        setattr(made, name, value)
    return made


def _of(row: Any, number: int, made: list[Pool]) -> Any:
    columns = {"pool": made[number], "name": f"{row.name}-{number}"}
    if isinstance(row, Agent):
        return _copy(row, **columns, agent_id=f"{row.pk}-{number}", pod_name=columns["name"])
    return _copy(row, **columns) if isinstance(row, Pod) else _copy(row, **columns, workspace_id=f"{row.pk}-{number}")


def _task_of(task: Task, number: int) -> Any:
    held = {"agent_id": f"{task.agent_id}-{number}", "pod_name": f"{task.pod_name}-{number}"} if task.lease else {}
    return _copy(task, workspace_id=f"{task.workspace_id}-{number}", **held)


def statements(act: Callable[[], object]) -> int:
    """Return how many statements it takes, savepoints not counted."""
    with CaptureQueriesContext(connection) as seen:
        act()
    return sum("SAVEPOINT" not in each["sql"] for each in seen)


def test_one_pass_is_as_many_statements_for_a_hundred_pools_with_a_thousand_pods() -> None:
    Beat.objects.create(name="web:1")
    Beat.objects.update(unbroken_since=clock.In(seconds=-300))
    one = pool_at_work()
    many = copies_of(one, 100)
    pods.scale(one, *many)  # they have too many pods from now on
    clock.shift(timedelta(seconds=3600))
    Agent.objects.update(lease_until=clock.In(seconds=45))

    few, lots = statements(lambda: pods.scale(one)), statements(lambda: pods.scale(*many))

    drained = Pod.objects.filter(phase=PodPhase.DRAINING).values_list("pool_id", flat=True)
    assert sorted(drained) == sorted([one.pk, *(pool.pk for pool in many)])
    # `pods.scale` itself reads each pool again, and the time.
    assert few - 2 == lots - 101 <= 28


def test_demand_is_as_many_statements_for_a_hundred_pools() -> None:
    one = pool_at_work()
    many, now = copies_of(one, 100), clock.now()
    few, lots = statements(lambda: demand.of([one], now)), statements(lambda: demand.of(many, now))
    assert few == lots <= 8
    assert set(demand.of(many, now).values()) == set(demand.of([one], now).values())


def explained(statements: list[str]) -> list[str]:
    """Return the plans, as they would be with very many rows."""
    plans = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in statements:
            cursor.execute("EXPLAIN " + sql)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans


def partial_indexes() -> set[str]:
    """Return the indexes of tasks in which nothing is that has ended."""
    with connection.cursor() as cursor:
        query = "SELECT indexname FROM pg_indexes WHERE tablename = 'tasks_task' AND indexdef LIKE '% WHERE %'"
        cursor.execute(query)
        return {name for (name,) in cursor.fetchall()}


def test_a_pass_costs_the_same_with_millions_of_finished_tasks() -> None:
    """Tasks are found by indexes that hold the live ones only, attempts one agent at a time."""
    pool = pool_at_work()
    ended = factories.cancelled(task_type="plan")
    names = {"workspace_id": ended.workspace_id, "configuration_id": ended.configuration_id, "task_type": "plan"}
    Task.objects.bulk_create([Task(**names, status="cancelled", completed_at=clock.now()) for _ in range(3000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tasks_task")  # of a handful of tasks the planner takes any index
    with CaptureQueriesContext(connection) as asked:
        pods.scale(pool)
    about_tasks = [each["sql"] for each in asked if "tasks_" in each["sql"] and each["sql"].startswith("SELECT")]
    assert len(about_tasks) >= 4
    may_be_used = partial_indexes() | {"attempt_of_agent", "attempt_lapsed"}
    for plan in explained(about_tasks):
        assert "Seq Scan on tasks_" not in plan, plan
        used = re.findall(r"(?:using|Bitmap Index Scan on) ((?:task|attempt)\w+)", plan)
        assert set(used) <= may_be_used, plan
