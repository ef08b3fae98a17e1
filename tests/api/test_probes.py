"""Alive, ready, and the numbers: without a login, and without a name."""

import re
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents.jobs import CHAIN_BEAT
from iacplatform import pool_metrics
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from pools.models import Pod, PoolStatus
from tasks.models import Task
from tests import factories as rows
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def numbers() -> dict[str, float]:
    """Return the numbers by name, with their labels."""
    lines = Client().get("/metrics").content.decode().splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in found.items()}


def test_a_live_process_asks_nothing() -> None:
    with patch("django.db.backends.utils.CursorWrapper.execute", side_effect=OperationalError):
        assert Client().get("/healthz").json() == {"status": "ok"}


def test_it_is_ready_while_the_sweep_beats() -> None:
    Beat.objects.strike(SWEEP)
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": dict.fromkeys(["database", "migrations", "worker", "stuck"], "ok"),
    }


def test_it_is_not_ready_before_the_first_sweep_nor_long_after_the_last() -> None:
    assert "never run" in Client().get("/readyz").json()["checks"]["worker"]
    Beat.objects.strike(SWEEP)
    clock.shift(timedelta(seconds=91))
    answer = Client().get("/readyz")
    assert answer.status_code == 503 and re.search("is 9[1-9] s old", answer.json()["checks"]["worker"])


def test_a_row_without_a_reason_is_told() -> None:
    Beat.objects.strike(SWEEP)
    with patch.object(
        Task.objects, "breaking_the_promise", return_value=Task.objects.filter(pk=factories.pending().pk)
    ):
        answer = Client().get("/readyz")
    assert answer.status_code == 503 and "a next look: 1." in answer.json()["checks"]["stuck"]


def test_a_missing_migration_is_told() -> None:
    with patch("iacplatform.probes.MigrationExecutor.migration_plan", return_value=[1, 2]):
        assert "2 migrations" in Client().get("/readyz").json()["checks"]["migrations"]


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_a_database_that_is_away_is_503(path: str) -> None:
    with patch("django.db.backends.utils.CursorWrapper.execute", side_effect=OperationalError("password=hunter2")):
        answer = Client().get(path)
    assert answer.status_code == 503 and b"hunter2" not in answer.content


def test_the_numbers_come_from_the_rows() -> None:
    agent = factories.agent("worker-one", connected=True)
    factories.pending()
    factories.planning(on=agent)
    text = Client().get("/metrics").content.decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(lines['iac_tasks{status="pending"}']) == 1 and float(lines['iac_tasks{status="running"}']) == 1
    assert float(lines['iac_leases{lease="running"}']) == 1
    assert (float(lines["iac_agents_connected"]), float(lines["iac_slots"])) == (1, 4)
    assert (float(lines["iac_tasks_unexplained"]), float(lines["iac_sweep_age_seconds"])) == (0, -1)
    assert "worker-one" not in text and "workspace-" not in text


def test_the_numbers_tell_of_a_silent_scheduler_and_of_what_is_not_as_it_should_be() -> None:
    Beat.objects.strike(SWEEP)
    factories.planning(on=factories.agent(connected=True))
    found = numbers()
    assert (found["iac_scheduler_silent"], found["iac_tasks_warned"], found["iac_tasks_stuck"]) == (0, 0, 0)
    clock.shift(timedelta(minutes=11))
    Beat.objects.strike(SWEEP)
    assert numbers()["iac_scheduler_silent"] == 0
    assert numbers()["iac_tasks_warned"] == 1, "its engine has said nothing for eleven minutes"
    clock.shift(timedelta(seconds=31))
    assert numbers()["iac_scheduler_silent"] == 1


def test_a_dead_worker_shows_though_a_web_process_sweeps() -> None:
    for name in (SWEEP, f"{CHAIN_BEAT} test"):
        Beat.objects.strike(name)
    assert numbers()["iac_worker_silent"] == 0
    clock.shift(timedelta(seconds=31))
    Beat.objects.strike(SWEEP)
    assert (numbers()["iac_worker_silent"], numbers()["iac_scheduler_silent"]) == (1, 0)


def test_every_number_is_explained_where_operators_look() -> None:
    said = Path("docs/watching.md").read_text()
    for name in {name.partition("{")[0] for name in numbers()}:
        assert f"`{name}" in said, name


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_what_is_asked_costs_the_same_with_millions_of_finished_tasks(path: str) -> None:
    factories.planning()
    factories.applied()
    with CaptureQueriesContext(connection) as asked:
        Client().get(path)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked.captured_queries:
            if "tasks_task" in query["sql"] and query["sql"].startswith("SELECT"):
                cursor.execute("EXPLAIN " + query["sql"])
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert "Seq Scan on tasks_" not in plan, plan


def test_only_reading_is_possible() -> None:
    assert [Client().post(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [405, 405, 405]


def test_pools_of_pods_are_numbered_by_id_and_no_name_is_said() -> None:
    pool = rows.k8s_pool(name="edge")
    PoolStatus.objects.create(pool=pool, desired=3, condition_code="quota_exceeded")
    rows.pool(name="static")
    for number, phase in enumerate(["running", "running", "starting", "gone"]):
        Pod.objects.create(pool=pool, name=f"iac-{number}", phase=phase)
    found = {name: value for name, value in numbers().items() if name.startswith("iac_pool_")}
    assert found[f'iac_pool_pods{{phase="running",pool="{pool.pk}"}}'] == 2
    assert found[f'iac_pool_pods{{phase="deleting",pool="{pool.pk}"}}'] == 0
    assert found[f'iac_pool_desired{{pool="{pool.pk}"}}'] == 3
    assert found[f'iac_pool_condition{{code="quota_exceeded",pool="{pool.pk}"}}'] == 1
    assert not [name for name in found if "gone" in name or "edge" in name or "static" in name]


def test_a_pool_that_is_well_has_no_condition() -> None:
    PoolStatus.objects.create(pool=rows.k8s_pool(), desired=0)
    assert not [name for name in numbers() if name.startswith("iac_pool_condition{")]


def test_however_many_pools_there_are_the_labels_are_bounded() -> None:
    known = numbers().keys()
    with patch.object(pool_metrics, "MOST", 2):
        for desired in (1, 2, 3, 4):
            pool = rows.k8s_pool()
            PoolStatus.objects.create(pool=pool, desired=desired, condition_code="pod_failed")
            Pod.objects.create(pool=pool, name=f"iac-{desired}", phase="running")
        found = numbers()
    assert found['iac_pool_pods{phase="running",pool="others"}'] == 2
    assert found['iac_pool_desired{pool="others"}'] == 7
    assert found['iac_pool_condition{code="pod_failed",pool="others"}'] == 2
    pools = {re.findall(r'pool="([^"]+)"', name)[0] for name in found.keys() - known}
    assert len(pools) == 3


def test_numbers_of_many_pools_cost_as_many_queries_as_of_one() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            numbers()
        return len(seen)

    PoolStatus.objects.create(pool=rows.k8s_pool())
    for_one = queries()
    for _ in range(5):
        PoolStatus.objects.create(pool=rows.k8s_pool())
    assert queries() == for_one
