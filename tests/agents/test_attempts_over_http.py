"""What an attempt's own token opens: its job, the parts of its plan, nothing else and no longer than it lasts."""

import hashlib
import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.test import Client

from tasks import attempts, cancellation, recovery, remedies
from tasks.models import PlanPart, Task
from tests.agents.scenes import confirm
from tests.tasks import factories
from workspaces import configurations, manifests
from workspaces.models import Variable, Workspace
from workspaces.models.configuration import PART_BYTES

pytestmark = pytest.mark.django_db(transaction=True)

JOB = "/agents/v1/attempt"


def ask(task: Task | str, address: str = JOB) -> Any:
    return Client().get(address, headers={"Authorization": f"Bearer {_token(task)}"})


def put(task: Task | str, part: str, content: bytes, digest: str = "") -> Any:
    headers = {"Authorization": f"Bearer {_token(task)}", "X-Content-SHA256": digest or _sha256(content)}
    return Client().put(f"{JOB}/plan/{part}", content, "application/octet-stream", headers=headers)


def _token(task: Task | str) -> str:
    return task if isinstance(task, str) else attempts.newest_of(task).token


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_job_of_a_plan() -> None:
    workspace = factories.workspace(terraform_version="1.11.4", working_directory="infra", plan_timeout_seconds=77)
    task = factories.planning(workspace=workspace)
    assert ask(task).json() == {
        "task": task.pk,
        "epoch": 1,
        "phase": "plan",
        "attempt": 1,
        "task_type": "plan_and_apply",
        "workspace_id": workspace.pk,
        "workspace_name": workspace.name,
        "engine": "terraform",
        "version": "1.11.4",
        "working_directory": "infra",
        "configuration": task.configuration.digest,
        "files": {"main.tf": 'resource "terraform_data" "one" {}'},
        "archive": None,
        "variables": [],
        "timeout_seconds": 77,
        "state_url": f"/api/v1/workspaces/{workspace.pk}/state",
        "plan": None,
    }


def test_the_files_that_the_agent_has_do_not_come_again() -> None:
    task = factories.planning()
    whole = ask(task).json()
    assert ask(task, f"{JOB}?configuration={whole['configuration']}").json() == {**whole, "files": None}
    for other in ("", "1" * 64, whole["configuration"][1:]):
        assert ask(task, f"{JOB}?configuration={other}").json() == whole


ARCHIVE = b"\x1f\x8b\x08" + b"x" * PART_BYTES + b"the rest"


def archived() -> Task:
    """Return a task that plans with an archive."""
    workspace = factories.workspace()
    configurations.store_archive(workspace, ContentFile(ARCHIVE), factories.person())
    return factories.planning(workspace=workspace)


def tell(task: Task, content: bytes) -> Any:
    headers = {"Authorization": f"Bearer {_token(task)}"}
    return Client().put(f"{JOB}/configuration/manifest", content, "application/json", headers=headers)


def test_an_archive_is_fetched_in_parts() -> None:
    task = archived()
    job = ask(task).json()
    assert (job["files"], job["archive"]) == (None, {"parts": 2, "is_known": False})
    assert job["configuration"] == _sha256(ARCHIVE)
    parts = [ask(task, f"{JOB}/configuration/{number}").content for number in range(2)]
    assert len(parts[0]) == PART_BYTES and b"".join(parts) == ARCHIVE
    assert ask(task, f"{JOB}/configuration/2").status_code == 404
    known = ask(task, f"{JOB}?configuration={_sha256(ARCHIVE)}").json()
    assert (known["files"], known["archive"]) == (None, None)


def test_what_lies_in_an_archive_is_told_once() -> None:
    task = archived()
    entry = {"path": "main.tf", "size": 1, "sha256": "0" * 64}
    assert tell(task, b"no list").status_code == 400
    assert tell(task, json.dumps([{**entry, "size": "1"}]).encode()).status_code == 400
    assert ask(task).json()["archive"]["is_known"] is False
    assert tell(task, json.dumps([entry]).encode()).status_code == 204
    assert tell(task, b"[]").status_code == 204
    assert ask(task).json()["archive"]["is_known"] is True
    assert [*(manifests.of(task.configuration) or {})] == ["main.tf"]


def test_an_archive_is_for_its_attempt_alone() -> None:
    task, other = archived(), factories.planning()
    assert ask(other, f"{JOB}/configuration/0").status_code == 404
    recovery.slot_lost(task.pk, task.agent_id, cause="Silent.", last_seen=None)
    assert ask(task, f"{JOB}/configuration/0").status_code in (401, 410)
    assert tell(task, b"[]").status_code in (401, 410)
    assert ask("no token", f"{JOB}/configuration/0").status_code == 401


def test_the_job_of_an_apply_names_the_confirmed_plan() -> None:
    task = factories.applying(workspace=factories.workspace(apply_timeout_seconds=88, terraform_version=""))
    job = ask(task).json()
    assert (job["phase"], job["timeout_seconds"], job["engine"], job["version"]) == ("apply", 88, "terraform", "1.11.4")
    plan = job["plan"]
    assert plan["digest"] == task.plan_digest
    assert (plan["os"], plan["arch"]) == ("linux", "amd64")
    assert plan["parts"] == dict(PlanPart.objects.values_list("part", "digest"))


def test_it_has_the_variables_as_they_were_when_the_task_was_made() -> None:
    workspace = factories.workspace()
    variable = _variable(workspace, "before")
    task = factories.planning(workspace=workspace)
    variable.delete()
    assert ask(task).json()["variables"] == [
        {"key": "region", "value": "before", "category": "terraform", "hcl": False, "sensitive": True}
    ]


@pytest.mark.parametrize("text", ["iaca_wrong", "iaca_1.forged", "iaca_", "iaca_99999.x"])
def test_a_forged_token_opens_nothing(text: str) -> None:
    factories.planning()
    assert ask(text).status_code == 401


def test_without_a_token_there_is_nothing() -> None:
    assert Client().get(JOB).status_code in {401, 403}


def test_a_person_is_no_attempt(admin_client: Client) -> None:
    assert admin_client.get(JOB).status_code in {401, 403}


def test_an_ended_attempt_is_closed() -> None:
    task = factories.planning()
    token = _token(task)
    factories.finish(task, "failed", exit_code=1)
    assert (ask(token).status_code, ask(token).json()["code"]) == (410, "attempt_closed")


def test_an_attempt_of_an_old_epoch_is_closed() -> None:
    task = factories.planning()
    token = _token(task)
    recovery.slot_lost(task.pk, task.agent_id, cause="Silent.", last_seen=None)
    assert ask(token).status_code == 410
    assert put(token, "file", b"late").status_code == 410


def test_a_lost_apply_may_go_on() -> None:
    task = factories.applying()
    recovery.slot_lost(task.pk, task.agent_id, cause="Silent.", last_seen=None)
    assert ask(task).status_code == 200


def test_a_cancelled_attempt_may_still_fetch_and_store_until_it_ends() -> None:
    task = factories.planning()
    cancellation.cancel(task, by=factories.person())
    assert put(task, "file", b"plan").status_code == 204


@pytest.mark.parametrize("part", ["file", "json", "lock", "extras"])
def test_each_part_is_stored_as_it_came(part: str) -> None:
    task, content = factories.planning(), bytes(range(256)) * 10
    assert put(task, part, content).status_code == 204
    stored = PlanPart.objects.get(part=part)
    assert (stored.content(), stored.size, stored.digest) == (content, 2560, _sha256(content))
    assert content not in bytes(stored.sealed_content)


def test_the_same_again_is_nothing_new_and_another_content_a_conflict() -> None:
    task = factories.planning()
    assert [put(task, "file", b"one").status_code for _ in range(2)] == [204, 204]
    answer = put(task, "file", b"two")
    assert (answer.status_code, answer.json()["code"]) == (409, "part_exists")
    assert PlanPart.objects.get().content() == b"one"


@pytest.mark.parametrize("digest", ["0" * 64, "no digest"])
def test_a_body_that_is_not_what_its_header_says_is_refused(digest: str) -> None:
    answer = put(factories.planning(), "file", b"plan", digest)
    assert (answer.status_code, answer.json()["code"]) == (400, "digest_mismatch")
    assert not PlanPart.objects.exists()


@pytest.mark.parametrize(("size", "status"), [(10, 204), (11, 413), (100, 413)])
def test_a_part_has_a_limit(settings: LazySettings, size: int, status: int) -> None:
    settings.PLAN_PART_MAX_BYTES = 10
    assert put(factories.planning(), "file", b"x" * size).status_code == status


def test_an_apply_stores_no_plan() -> None:
    answer = put(factories.applying(), "file", b"plan")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_phase")


def test_a_part_that_no_plan_has_is_not_found() -> None:
    assert put(factories.planning(), "notes", b"x").status_code == 404
    assert ask(factories.applying(), f"{JOB}/plan/notes").status_code == 404


def test_an_apply_gets_the_parts_of_its_plan() -> None:
    task = factories.applying()
    answer = ask(task, f"{JOB}/plan/file")
    assert answer.content == factories.PLAN_FILE + b" of task %d, epoch 1" % task.pk
    assert _sha256(answer.content) == task.plan_digest
    assert ask(task, f"{JOB}/plan/lock").status_code == 404


def test_of_several_plans_it_gets_the_confirmed_one() -> None:
    task = factories.stale()
    task = factories.planned(factories.running(remedies.retry(task, by=factories.person()).task))
    task = factories.running(confirm(task))
    content = ask(task, f"{JOB}/plan/file").content
    assert (_sha256(content), task.plan_count) == (task.plan_digest, 2)


def test_a_plan_phase_gets_no_plan() -> None:
    task = factories.planning()
    put(task, "file", b"plan")
    assert ask(task, f"{JOB}/plan/file").status_code == 404


def test_an_attempt_reaches_nothing_of_other_tasks() -> None:
    mine, other = factories.planning(), factories.applying()
    put(mine, "file", b"mine")
    assert json.loads(ask(mine).content)["task"] == mine.pk
    assert not PlanPart.objects.filter(attempt__task=other, digest=_sha256(b"mine")).exists()


def _variable(workspace: Workspace, value: str) -> Variable:
    variable = Variable(workspace=workspace, key="region", sensitive=True)
    variable.set_value(value)
    variable.save()
    return variable
