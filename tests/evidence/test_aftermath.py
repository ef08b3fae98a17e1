"""What a task that needs attention shows: what was heard last, what was made and not saved, who holds the lock."""

import json
from datetime import timedelta
from typing import Any

import pytest

from agents import aftermath, reports
from agents.aftermath import Aftermath
from agents.models import Agent
from agents.sessions import Session
from iacplatform.base import clock, encryption
from tasks.models import Task
from tests import factories as rows
from tests.evidence import people
from tests.evidence.words import finished, log
from tests.tasks import factories
from workspaces.models import StateLock, StateVersion

pytestmark = pytest.mark.django_db(transaction=True)


def of(task: Task) -> Aftermath:
    found = aftermath.of(task)
    assert found is not None
    return found


def completed(task: Task) -> list[tuple[str, str]]:
    return [(each["address"], each["action"]) for each in of(task).resources_after_last_serial]


def save(task: Task, serial: int, *addresses: str) -> None:
    """Store a state that holds these resources as the task's attempt would."""
    resources = [
        {"mode": "managed", "type": kind, "name": name, "instances": [{}]}
        for kind, _, name in (address.partition(".") for address in addresses)
    ]
    StateVersion.objects.create(
        workspace_id=task.workspace_id,
        serial=serial,
        lineage="lineage-1",
        digest="0" * 64,
        size=0,
        created_by=f"task:{task.pk} apply 1",
        task_id=task.pk,
        sealed_content=_sealed(task, {"version": 4, "serial": serial, "lineage": "lineage-1", "resources": resources}),
    )


def _sealed(task: Task, members: dict[str, Any]) -> bytes:
    return encryption.seal(json.dumps(members).encode(), StateVersion.owner(task.workspace_id))


def hold(task: Task) -> StateLock:
    """Lock the state as the task's attempt would."""
    names = {"holder": f"task:{task.pk}", "task_id": task.pk, "epoch": task.epoch, "phase": "apply"}
    info = {"ID": "l-1", "Operation": "OperationTypeApply"}
    return StateLock.objects.create(workspace=task.workspace, lock_id="l-1", info=info, **names)


@pytest.mark.parametrize("make", [factories.applying, factories.applied, factories.pending])
def test_only_a_task_that_needs_attention_has_one(make: Any) -> None:
    assert aftermath.of(make()) is None


def test_it_says_when_the_agent_was_last_heard_of(ada: Agent, lost: Task) -> None:
    assert of(lost).last_heartbeat_at == ada.last_seen_at
    ada.delete()
    assert of(lost).last_heartbeat_at == ada.last_seen_at


def test_an_agent_that_comes_back_empty_does_not_change_when_the_lost_one_was_last_heard_of(
    ada: Agent, lost: Task
) -> None:
    heard = of(lost).last_heartbeat_at
    Agent.objects.filter(pk=ada.pk).update(last_seen_at=clock.now() + timedelta(minutes=2))
    assert of(lost).last_heartbeat_at == heard


def test_the_last_line_of_the_log_is_shown_without_its_colours(lost: Task) -> None:
    factories.say(lost, b"one\n\x1b[1mterraform_data.a:\x1b[0m Still crea", b"ting... [10s elapsed]\r\n\n\x1b[0m\n")
    assert of(lost).last_log_line == "terraform_data.a: Still creating... [10s elapsed]"
    assert of(lost).last_log_at is not None


def test_without_a_log_there_is_no_line(lost: Task) -> None:
    assert (of(lost).last_log_line, of(lost).last_log_at, of(lost).resources_after_last_serial) == ("", None, [])


def test_without_a_saved_state_all_that_was_completed_is_listed(lost: Task) -> None:
    factories.say(
        lost,
        b"terraform_data.a: Creating...\nterraform_data.a: Creation complete after 0s [id=1]\n",
        b'\x1b[0m\x1b[1mmodule.net["a.b: c"].x_y.z[0]: Modifications complete after 1s [id=2]\x1b[0m\n',
        b'{"@level":"info","@message":"terraform_data.c: Destruction complete after 2s","type":"apply_complete"}\n',
        b"terraform_data.d (local-exec): terraform_data.e: Creation complete after 1s\n",
        b"terraform_data.f (deposed object 0a1b2c3d): Destruction complete after 0s\n",
        b"terraform_data.g: Creation compl",
    )
    assert completed(lost) == [
        ("terraform_data.a", "create"),
        ('module.net["a.b: c"].x_y.z[0]', "update"),
        ("terraform_data.c", "delete"),
        ("terraform_data.f", "delete"),
    ]


def test_what_the_saved_state_holds_is_not_listed_whenever_its_line_came(lost: Task) -> None:
    """A line and the state that holds it arrive in any order: the line is looked at ten times a second."""
    factories.say(lost, b"t.early: Creation complete after 0s\nt.unsaved: Creation complete after 0s\n")
    save(lost, 4, "t.early", "t.late", "t.still_there")
    factories.say(
        lost,
        b"t.late: Creation complete after 0s\nt.gone: Destruction complete after 0s\n",
        b"t.still_there: Destruction complete after 0s\n",
    )
    assert completed(lost) == [("t.unsaved", "create"), ("t.still_there", "delete")]
    assert of(lost).last_serial == 4 and of(lost).last_saved_at is not None


def test_of_changes_the_times_decide(lost: Task) -> None:
    factories.say(lost, b"t.a: Modifications complete after 0s\nt.r: Destruction complete after 0s\n")
    factories.say(lost, b"t.r: Creation complete after 0s\n")
    save(lost, 4, "t.a", "t.b", "t.r")
    factories.say(lost, b"t.b: Modifications complete after 0s\n")
    assert completed(lost) == [("t.b", "update")]


def test_a_line_in_two_pieces_came_with_its_end(lost: Task) -> None:
    factories.say(lost, b"t.a: Modifications comp")
    save(lost, 4, "t.a")
    factories.say(lost, b"lete after 0s\n")
    assert completed(lost) == [("t.a", "update")]


def test_states_of_others_are_not_what_the_lost_apply_saved(lost: Task) -> None:
    factories.say(lost, b"t.a: Modifications complete after 0s\n")
    factories.store_state(lost.workspace_id, serial=7)
    assert completed(lost) == [("t.a", "update")]
    assert of(lost).last_serial == 7 and of(lost).last_saved_at is None


def test_a_state_that_is_not_locked_has_no_holder(lost: Task) -> None:
    found = of(lost)
    assert (found.state_lock, found.holder, found.holder_since) == (None, "none", None)


def test_a_lock_of_an_agent_that_is_silent_is_orphaned(ada: Agent, lost: Task) -> None:
    held = hold(lost)
    people.silence(lost)
    found = of(lost)
    shown = {"holder": f"task:{lost.pk}", "lock_id": "l-1", "since": held.created_at, "operation": "OperationTypeApply"}
    assert found.state_lock == shown
    assert (found.holder, found.holder_since) == ("orphaned", ada.last_seen_at)
    assert "ada was not heard of since" in found.holder_text


def test_an_agent_that_has_the_apply_in_hand_again_is_alive(lost: Task) -> None:
    hold(lost)
    Task.objects.filter(pk=lost.pk).update(lease="running")
    found = of(factories.reread(lost))
    assert (found.holder, found.holder_since is not None) == ("alive", True)
    assert "ada is at work" in found.holder_text


def test_an_engine_that_may_have_outlived_its_agent_is_unknown(lost: Task) -> None:
    """The agent came back without the work; the engine, in a session of its own, may still run."""
    hold(lost)
    found = of(lost)
    assert found.holder == "unknown" and "does not know of it any more" in found.holder_text


def test_the_lock_of_another_program_is_unknown(lost: Task) -> None:
    StateLock.objects.create(workspace=lost.workspace, lock_id="l-9", info={}, holder="user:bob")
    found = of(lost)
    assert found.holder == "unknown" and "terraform force-unlock l-9" in found.holder_text


def test_what_came_late_is_part_of_it(session: Session, lost: Task) -> None:
    factories.say(lost, b"one\n")
    clock.shift(timedelta(seconds=5))
    reports.handle(session, log(lost, 4, b"two\n"))
    (late,) = of(lost).evidence
    assert (late.kind, late.phase, late.attempt, late.epoch) == ("log", "apply", 1, lost.epoch)


def test_the_api_shows_it(lost: Task) -> None:
    hold(lost)
    factories.say(lost, b"t.a: Creation complete after 0s\n")
    api = rows.client(rows.admin())
    address = f"/api/v1/workspaces/{lost.workspace_id}/tasks/{lost.pk}/aftermath"
    shown = api.get(address).json()["aftermath"]
    assert shown["resources_after_last_serial"] == [{"address": "t.a", "action": "create"}]
    assert shown["last_log_line"] == "t.a: Creation complete after 0s" and shown["holder"] == "unknown"
    assert shown["state_lock"]["lock_id"] == "l-1" and [each["kind"] for each in shown["evidence"]] == ["log"]
    people.mark_failed(lost)
    assert api.get(address).json() == {"aftermath": None}
    assert rows.client(rows.person()).get(address).status_code == 404


def test_release_lock_is_offered_while_its_lock_is_orphaned(lost: Task) -> None:
    api = rows.client(rows.admin())
    address = f"/api/v1/tasks/{lost.pk}"
    assert "release-lock" not in api.get(address).json()["actions"]
    hold(lost)
    assert "release-lock" not in api.get(address).json()["actions"]
    people.silence(lost)
    assert "release-lock" in api.get(address).json()["actions"]
    answer = api.post(
        f"/api/v1/workspaces/{lost.workspace_id}/tasks/{lost.pk}/release-lock", {"reason": "Dead."}, "json"
    )
    assert answer.status_code == 200
    assert "release-lock" not in api.get(address).json()["actions"]


def test_a_result_under_its_own_epoch_ends_it(session: Session, lost: Task) -> None:
    reports.handle(session, finished(lost))
    assert aftermath.of(factories.reread(lost)) is None
