"""Incidents 484 and 511, replayed as far as they need no cluster. 515, 601 and 713 have files of their own."""

import psycopg
import pytest

from tests.e2e.configurations import trivial
from tests.e2e.crew import Crew


def test_incident_484_a_confirmation_without_an_agent_says_so_and_nothing_else_runs_it(crew: Crew) -> None:
    agent = crew.agent("one")
    bystander = crew.platform.agent("of-pool-local", _local_token(crew))
    task = crew.workspace(trivial()).task()
    task.until("apply_pending")
    agent.stop()
    crew.until_gone("one")
    answer = task.confirm()
    assert answer["status"] == "confirmed"
    assert (answer["dispatch"]["outcome"], answer["dispatch"]["agent_id"]) == ("waiting", None)
    assert answer["dispatch"]["wait_reason"]["code"] in {"no_connected_agent", "no_free_slot"}
    crew.client.post(f"{task.path}/confirm-apply", {}, status=200)
    explained = {gate["name"]: gate["result"] for gate in task.explain()["gates"]}
    assert "wait" in explained.values()
    assert f"task {task.id}" not in bystander.output()
    crew.agent("two")
    done = task.until("applied")
    assert done["agent_id"] == crew.agent_id("two")
    ran = [move for move in task.events() if move["to"] == "running"]
    assert all("agent" in move["actor"] for move in ran)


def test_incident_484_no_row_can_say_running_without_an_agent(crew: Crew) -> None:
    task = crew.workspace(trivial()).task()
    with pytest.raises(psycopg.errors.CheckViolation):
        crew.platform.sql("UPDATE tasks_task SET status = 'running', stage = 'applying' WHERE id = %s", task.id)


def test_incident_511_a_workspace_without_its_cluster_is_refused_by_api_and_database(crew: Crew) -> None:
    client = crew.client
    refusal = client.refused("POST", "/workspaces", {"name": "no-cluster", "execution_mode": "k8s"}, status=400)
    assert "pool_id" in refusal["errors"]
    workspace = crew.workspace()
    refusal = client.refused("PATCH", workspace.path, {"execution_mode": "k8s"}, status=400)
    assert refusal["errors"]
    client.refused("POST", "/pools", {"name": "no-config", "pool_type": "k8s"}, status=400)
    update = "UPDATE workspaces_workspace SET execution_mode = 'k8s' WHERE workspace_id = %s"
    with pytest.raises(psycopg.errors.IntegrityError):
        crew.platform.sql(update, workspace.id)


def test_incident_511_a_missing_pool_is_told_and_its_remedy_moves_the_stuck_task(crew: Crew) -> None:
    crew.agent("one")
    workspace = crew.workspace(trivial(), pool_id=None)
    task = workspace.task()
    reason = task.row()["wait_reason"]
    assert (reason["code"], reason["turn"]) == ("pool_missing", "config")
    assert "Choose a pool" in reason["remedy"]
    crew.client.patch(workspace.path, {"pool_id": crew.pool_id})
    task.until("apply_pending")


def _local_token(crew: Crew) -> str:
    pools = crew.client.rows("/pools")
    local = next(pool for pool in pools if pool["name"] == "local")
    token: str = crew.client.token_of(local["pool_id"])["token"]
    return token
