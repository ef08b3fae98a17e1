"""An attempt's token opens its own workspace's state, as far as its phase goes, and nothing after its end."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from iacplatform.base.problems import Problem
from tasks import authentication
from tasks.models import Attempt, Task
from tests import factories as rows
from tests.tasks import factories
from workspaces import states
from workspaces.models import StateLock, StateVersion

pytestmark = pytest.mark.django_db


def attempt(task: Task) -> Attempt:
    """Return the task's current attempt."""
    return Attempt.objects.get(task=task, epoch=task.epoch)


def call(
    of: Attempt, method: str, content: bytes = b"", *, workspace: str = "", query: str = "", basic: bool = False
) -> Any:
    """Return the answer to a request with the attempt's token."""
    pair = base64.b64encode(f"attempt:{of.token}".encode()).decode()
    credentials = f"Basic {pair}" if basic else f"Bearer {of.token}"
    address = f"/api/v1/workspaces/{workspace or of.task.workspace_id}/state{query}"
    return Client().generic(
        method, address, content, content_type="application/json", headers={"Authorization": credentials}
    )


LOCK = json.dumps({"ID": "a", "Who": "agent"}).encode()


@pytest.mark.parametrize("basic", [True, False])
def test_an_apply_locks_writes_reads_and_unlocks(basic: bool) -> None:
    task = factories.applying()
    of = attempt(task)
    before = StateVersion.objects.newest_of(task.workspace_id)
    state = rows.state(before.serial + 1 if before else 1, lineage=before.lineage if before else "new")
    assert call(of, "LOCK", LOCK, basic=basic).status_code == 200
    held = StateLock.objects.get()
    assert (held.holder, held.task_id, held.epoch, held.phase) == (f"task:{task.pk}", task.pk, task.epoch, "apply")
    assert call(of, "POST", state, query="?ID=a", basic=basic).status_code == 200
    assert call(of, "GET", basic=basic).content == state
    assert call(of, "UNLOCK", LOCK, basic=basic).status_code == 200
    newest = StateVersion.objects.newest_of(task.workspace_id)
    assert newest is not None and newest.created_by == f"task:{task.pk} apply 1" and newest.task_id == task.pk


def test_a_plan_reads_and_locks_but_never_writes() -> None:
    of = attempt(factories.planning())
    assert call(of, "LOCK", LOCK).status_code == 200
    assert call(of, "GET").status_code in {200, 204}
    assert call(of, "POST", rows.state(50), query="?ID=a").status_code == 403


def test_an_apply_writes_nothing_before_its_permit() -> None:
    of = attempt(factories.applying(permitted=False))
    assert call(of, "LOCK", LOCK).status_code == 200
    assert call(of, "POST", rows.state(50), query="?ID=a").status_code == 403
    assert not StateVersion.objects.exists()


def test_a_plan_only_task_never_locks() -> None:
    of = attempt(factories.planning(task_type="plan"))
    assert call(of, "LOCK", LOCK).status_code == 403
    assert call(of, "GET").status_code in {200, 204}


def test_another_workspace_is_not_found() -> None:
    of = attempt(factories.applying())
    other = rows.workspace()
    for method in ("GET", "POST", "LOCK", "UNLOCK"):
        assert call(of, method, LOCK, workspace=other.pk).status_code == 404


def test_a_forged_token_is_401() -> None:
    task = factories.applying()
    for token in ("iaca_1.forged", "iaca_", f"iaca_{attempt(task).pk}", "iaca_\xff"):
        address = f"/api/v1/workspaces/{task.workspace_id}/state"
        assert Client().get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_after_its_end_the_token_opens_nothing() -> None:
    task = factories.applied()
    of = Attempt.objects.filter(task=task, phase="apply").get()
    answer = call(of, "GET")
    assert answer.status_code == 410 and answer.json()["code"] == "attempt_closed"


@pytest.mark.parametrize("method", ["LOCK", "POST"])
def test_a_request_whose_turn_comes_after_the_end_writes_nothing(method: str) -> None:
    """It was let in while the attempt lasted: a large state takes its time to arrive."""
    task = factories.applying()
    late = authentication.holder(attempt(task))
    factories.finish(task, "cancelled", exit_code=1)
    with pytest.raises(Problem, match="This attempt is over"):
        if method == "LOCK":
            states.lock(task.workspace_id, "a", {}, late)
        else:
            states.store(task.workspace_id, rows.state(50), late)
    assert not StateLock.objects.exists()


def test_an_older_epoch_writes_nothing() -> None:
    task = factories.applying()
    of = attempt(task)
    Task.objects.filter(pk=task.pk).update(epoch=task.epoch + 1)
    for method, content in (("POST", rows.state(50)), ("LOCK", LOCK), ("UNLOCK", LOCK)):
        answer = call(of, method, content)
        assert answer.status_code == 409 and answer.json()["code"] == "stale_epoch"


def test_a_lost_apply_may_still_bring_its_state() -> None:
    task = factories.needing_attention()
    of = attempt(task)
    newest = StateVersion.objects.newest_of(task.workspace_id)
    state = rows.state(newest.serial + 1 if newest else 1, lineage=newest.lineage if newest else "new")
    assert call(of, "POST", state).status_code == 200


def test_an_attempt_needs_no_id_for_its_own_lock() -> None:
    task = factories.applying()
    of = attempt(task)
    newest = StateVersion.objects.newest_of(task.workspace_id)
    call(of, "LOCK", LOCK)
    state = rows.state(newest.serial + 1 if newest else 1, lineage=newest.lineage if newest else "new")
    assert call(of, "POST", state).status_code == 200


def test_locks_are_released_by_task_epoch_and_phase() -> None:
    task = factories.applying()
    call(attempt(task), "LOCK", LOCK)
    its: dict[str, Any] = {"workspace_id": task.workspace_id, "task_id": task.pk}
    assert not states.release_locks_of(**its, epoch=task.epoch, phase="plan")
    assert not states.release_locks_of(**its, epoch=task.epoch + 1, phase="apply")
    assert states.release_locks_of(**its, epoch=task.epoch, phase="apply")
    assert not StateLock.objects.exists()


def test_the_token_opens_nothing_else() -> None:
    of = attempt(factories.applying())
    for path in ("/api/v1/workspaces", f"/api/v1/workspaces/{of.task.workspace_id}/variables", "/api/v1/tasks"):
        assert Client().get(path, headers={"Authorization": f"Bearer {of.token}"}).status_code == 401
