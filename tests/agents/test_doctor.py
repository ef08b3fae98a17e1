"""`manage.py doctor` names every task that is not final and what will move it, then the faults in the settings."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction

from agents.jobs import CHAIN_BEAT
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from pools.models import Pool, PoolStatus, PoolToken
from tasks import attempts
from tests import factories as rows
from tests.tasks import factories
from workspaces.models import Variable, Workspace

pytestmark = pytest.mark.django_db


def doctor(*options: str, code: int = 0) -> str:
    """Return what the doctor says; it has to leave with this exit status."""
    said, left_with = StringIO(), 0
    try:
        call_command("doctor", *options, stdout=said)
    except SystemExit as leaving:
        left_with = int(leaving.code or 0)
    assert left_with == code, said.getvalue()
    return said.getvalue()


def found(code: int = 0) -> Any:
    return json.loads(doctor("--json", code=code))


@pytest.fixture
def well() -> None:
    """A platform at work: a worker that sweeps, a web process, an agent of pool local."""
    Beat.objects.strike(SWEEP)
    Beat.objects.strike(f"{CHAIN_BEAT} test")
    Beat.objects.strike("web:test")
    factories.agent("built-in", connected=True)


def test_a_platform_that_is_well_has_nothing_to_tell(well: None) -> None:
    factories.applied()
    assert doctor() == "Tasks that are not final: 0; stuck: 0; faults in the settings: 0.\n"


def test_each_task_says_why_it_stands_and_what_will_move_it(well: None) -> None:
    waits = factories.awaiting_confirmation()
    line = doctor().splitlines()[0]
    assert f"task {waits.pk} ({waits.workspace.name}): apply_pending, awaiting_confirmation, person's turn" in line
    assert f"person's turn since {waits.reason_since:%Y-%m-%d %H:%M:%S} UTC: The plan is made" in line
    assert "Read the plan, then confirm or discard it." in line


def test_a_running_task_says_who_will_report(well: None) -> None:
    task = factories.planning(on=Agent.objects.get())
    line = doctor().splitlines()[0]
    assert f"task {task.pk}" in line
    assert "Plan on agent built-in, stage preparing." in line
    assert "The agent's report moves it" in line


def test_a_running_task_says_until_when_its_agent_may_be_silent(well: None) -> None:
    agent = Agent.objects.get()
    task = factories.planning(on=agent)
    assert task.deadline is not None
    line = doctor().splitlines()[0]
    assert f"or the sweep when no heartbeat comes until {agent.lease_until:%Y-%m-%d %H:%M:%S} UTC" in line
    assert f"or when it lasts until {task.deadline:%Y-%m-%d %H:%M:%S} UTC." in line


def test_a_stuck_task_is_marked_and_ends_with_1(well: None) -> None:
    task = factories.needing_attention()
    said = doctor(code=1)
    assert said.startswith(f"STUCK task {task.pk} ")
    assert "stuck: 1;" in said


def test_a_task_past_its_deadline_ends_with_1(well: None) -> None:
    factories.pending()
    clock.shift(timedelta(minutes=5))
    assert found(code=1)["stuck"] == 1


def test_machines_read_it_as_json(well: None) -> None:
    task = factories.pending()
    said = found()
    assert said["stuck"] == 0
    assert said["faults"] == []
    told = said["tasks"][0]
    assert told["id"] == task.pk
    assert told["workspace"] == task.workspace.name
    assert (told["status"], told["reason"], told["turn"]) == ("pending", "dispatching", "machine")
    assert told["moves"]
    assert told["next_check_at"].endswith("Z")


def test_a_database_that_is_not_migrated_is_one_clear_sentence() -> None:
    with pytest.raises(CommandError, match="migrate"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tasks_task RENAME TO elsewhere")
        call_command("doctor")


def test_a_database_that_is_away_is_one_clear_sentence_and_not_the_status_of_a_stuck_task() -> None:
    with (
        pytest.raises(CommandError, match="does not answer") as left,
        patch("agents.diagnosis.findings", side_effect=OperationalError),
    ):
        call_command("doctor")
    assert left.value.returncode == 2


def test_a_sweep_that_never_ran_is_told() -> None:
    assert any("The sweep has never run" in fault for fault in found()["faults"])


def test_a_silent_sweep_is_told(well: None) -> None:
    clock.shift(timedelta(minutes=2))
    assert any("The sweep last ran at" in fault for fault in found()["faults"])


def test_a_dead_worker_is_told_though_a_web_process_sweeps(well: None) -> None:
    clock.shift(timedelta(seconds=31))
    for name in (SWEEP, "web:test"):
        Beat.objects.strike(name)
    (fault,) = [fault for fault in found()["faults"] if "worker" in fault]
    assert fault.startswith("No worker has swept since") and "a web process does it in its place" in fault
    assert "manage.py qcluster" in fault


def test_a_worker_that_never_swept_is_told_though_a_web_process_sweeps(well: None) -> None:
    Beat.objects.filter(name__startswith=CHAIN_BEAT).delete()
    assert any("No worker has swept for an hour, or ever" in fault for fault in found()["faults"])


def test_a_task_that_no_sweep_looks_at_says_so_with_the_way_out(well: None) -> None:
    task = factories.pending()
    clock.shift(timedelta(seconds=33))
    said = doctor(code=1)
    assert said.startswith(f"STUCK task {task.pk} ")
    assert "scheduler_silent, machine's turn" in said
    assert "manage.py qcluster" in said
    told = found(code=1)["tasks"][0]
    assert (told["reason"], told["stuck"]) == ("scheduler_silent", True)


def test_warnings_of_a_running_task_are_told(well: None) -> None:
    task = factories.planning()
    clock.shift(timedelta(minutes=11))
    Beat.objects.strike(SWEEP)
    Agent.objects.update(last_seen_at=clock.now(), lease_until=clock.now() + timedelta(seconds=45))
    assert f"task {task.pk}" in doctor()
    assert "Warning: The plan has said nothing for 11 min" in doctor()
    assert found()["tasks"][0]["warnings"] == ["The plan has said nothing for 11 min: a provider may be hanging."]


def test_an_agent_that_takes_nothing_is_named(well: None) -> None:
    Agent.objects.update(connected_at=clock.now() - timedelta(minutes=1))
    task = factories.offered(on=Agent.objects.get())
    clock.shift(timedelta(seconds=attempts.ACCEPT_SECONDS))
    factories.lose(task)
    assert "Agent built-in of pool local is connected and did not take the last offer" in found()["faults"][0]


def test_what_waits_for_a_person_is_told_and_is_not_stuck(well: None) -> None:
    factories.awaiting_confirmation()
    assert "stuck: 0;" in doctor()


def test_without_a_web_process_no_agent_can_connect() -> None:
    assert any("No web process is at work" in fault for fault in found()["faults"])


def test_a_workspace_without_its_pool_is_told(well: None) -> None:
    rows.workspace(name="orphan", execution_mode="agent")
    assert found()["faults"] == [
        "Workspace orphan runs in mode agent and names no pool: choose one in its settings.",
    ]


def test_a_pool_without_token_or_agent_is_told_once_somebody_needs_it(well: None) -> None:
    pool = rows.pool(name="lonely")
    assert found()["faults"] == []
    rows.workspace(execution_mode="agent", pool=pool)
    assert "Pool lonely has no valid token" in found()["faults"][0]
    token, _ = PoolToken.issue(pool=pool)
    assert "No agent of pool lonely is connected" in found()["faults"][0]
    token.revoke()
    assert "no valid token" in found()["faults"][0]
    factories.agent(pool=pool, connected=True)
    assert found()["faults"] == []


def test_the_local_pool_without_its_agent_is_told(well: None) -> None:
    rows.workspace()
    assert found()["faults"] == []
    clock.shift(timedelta(minutes=1))
    assert "No agent of pool local is connected: manage.py up starts one." in found()["faults"]


def test_a_pool_that_may_have_no_pods_is_told(well: None) -> None:
    pool = rows.k8s_pool(name="none", min_replicas=0, max_replicas=0)
    Workspace.objects.create(name="web", execution_mode="k8s", pool=pool)
    assert found()["faults"] == ["Pool none may have no pods: raise its maximum."]
    Pool.objects.filter(pk=pool.pk).update(max_replicas=1)
    assert found()["faults"] == []


def test_a_pool_that_cannot_have_its_pods_is_told_with_the_clusters_words(well: None) -> None:
    since = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
    words = "exceeded quota: compute,\n limited: pods=2"
    told = {"condition_code": "quota_exceeded", "condition_message": words, "condition_since": since}
    status = PoolStatus.objects.create(pool=rows.k8s_pool(name="edge"), **told)
    assert found()["faults"] == [
        "Pool edge: A quota of the namespace leaves no room for another pod. So since 2026-11-21 08:30:00 UTC. "
        'The cluster says: "exceeded quota: compute, limited: pods=2". '
        "Raise the quota, lower the requests in the K8s config, or lower the pool's maximum."
    ]
    status.condition_code = ""
    status.save()
    assert found()["faults"] == []


def test_a_key_that_is_missing_is_named(well: None, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = f"old:{'0' * 64}"
    variable = Variable(workspace=rows.workspace(), key="password")
    variable.set_value("swordfish")
    variable.save()
    assert found()["faults"] == []
    settings.ENCRYPTION_KEYS = f"new:{'1' * 64}"
    assert "sealed with the key 'old'" in found()["faults"][0]
    settings.ENCRYPTION_KEYS = f"new:{'1' * 64},old:{'0' * 64}"
    assert found()["faults"] == []
