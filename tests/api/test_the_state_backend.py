"""The `http` backend as an engine calls it: status codes, locks and who may do what."""

import base64
import hashlib
import json
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from rest_framework.test import APIClient

from tests import factories
from workspaces.models import StateLock, StateVersion, Workspace

INFO = {
    "ID": "11111111-2222",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "ann@laptop",
    "Version": "1.11.4",
    "Created": "2026-11-21T12:00:00Z",
    "Path": "",
}


@pytest.fixture
def address(workspace: Workspace) -> str:
    """Where the workspace's state is."""
    return f"/api/v1/workspaces/{workspace.pk}/state"


def post(client: Any, address: str, content: bytes, **headers: str) -> Any:
    """Return the answer to a push."""
    return client.post(address, content, content_type="application/json", headers=headers)


def lock(client: Any, address: str, method: str = "LOCK", **members: str) -> Any:
    """Return the answer to LOCK or UNLOCK."""
    return client.generic(method, address, json.dumps({**INFO, **members}), content_type="application/json")


def test_no_state_is_204(api: APIClient, address: str) -> None:
    assert api.get(address).status_code == 204


def test_a_pushed_state_is_read_back_byte_for_byte(api: APIClient, address: str) -> None:
    content = factories.state(1, resources=1)
    assert post(api, address, content).status_code == 200
    answer = api.get(address)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, content, "application/json")


def test_the_same_again_is_200_and_another_content_409(api: APIClient, address: str) -> None:
    assert [post(api, address, factories.state(1)).status_code for _ in range(2)] == [200, 200]
    refused = post(api, address, factories.state(1, note="other"))
    assert refused.status_code == 409 and refused.json()["code"] == "state_refused"
    assert post(api, address, factories.state(2, lineage="other")).status_code == 409


def test_what_is_no_state_is_400(api: APIClient, address: str) -> None:
    for content in (b"", b"no json", b"[]", b"{}", b"\xff"):
        assert post(api, address, content).status_code == 400


def test_a_damaged_body_is_400(api: APIClient, address: str) -> None:
    content = factories.state(1)
    right = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    assert post(api, address, content, **{"Content-MD5": "AAAA"}).status_code == 400
    assert post(api, address, content, **{"Content-MD5": right}).status_code == 200


@override_settings(STATE_MAX_BYTES=1000)
def test_the_size_is_bounded(api: APIClient, address: str) -> None:
    padding = 1000 - len(factories.state(1, note="x")) + 1
    assert post(api, address, factories.state(1, note="x" * (padding + 1))).status_code == 413
    assert post(api, address, factories.state(1, note="x" * padding)).status_code == 200


def test_the_limit_is_64_mib() -> None:
    assert settings.STATE_MAX_BYTES == 64 * 1024 * 1024


def test_a_state_is_not_deleted(api: APIClient, address: str) -> None:
    refused = api.delete(address)
    assert refused.status_code == 405 and refused.json()["detail"] and "POST" in refused["Allow"]


def test_a_lock_is_taken_once_and_again_by_its_id(api: APIClient, address: str) -> None:
    assert [lock(api, address).status_code for _ in range(2)] == [200, 200]
    refused = lock(api, address, ID="other", Who="bob@desk")
    assert refused.status_code == 423
    body = refused.json()
    assert {name: body[name] for name in INFO} == INFO
    assert body["code"] == "state_locked" and "user:ann" in body["detail"]


def test_only_the_locks_id_writes_while_it_holds(api: APIClient, address: str) -> None:
    lock(api, address)
    assert post(api, address, factories.state(1)).status_code == 423
    assert post(api, f"{address}?ID=wrong", factories.state(1)).status_code == 423
    assert post(api, f"{address}?ID={INFO['ID']}", factories.state(1)).status_code == 200


def test_unlock_needs_the_id_or_none(api: APIClient, address: str) -> None:
    lock(api, address)
    wrong = lock(api, address, "UNLOCK", ID="wrong")
    assert wrong.status_code == 409 and wrong.json()["code"] == "lock_not_held"
    assert lock(api, address, "UNLOCK").status_code == 200
    assert lock(api, address, "UNLOCK").status_code == 200
    assert not StateLock.objects.exists()


def test_force_unlock_sends_no_body_and_breaks_the_lock(api: APIClient, address: str) -> None:
    lock(api, address)
    assert api.generic("UNLOCK", address).status_code == 200
    assert not StateLock.objects.exists()


def test_another_persons_lock_is_broken_only_with_the_permission(api: APIClient, address: str) -> None:
    lock(api, address)
    rights = ["workspaces.view_workspace", "workspaces.view_stateversion", "workspaces.add_stateversion"]
    writer, breaker = (
        factories.client(factories.person(*rights, *more)) for more in ([], ["workspaces.delete_statelock"])
    )
    refused = writer.generic("UNLOCK", address)
    assert refused.status_code == 409 and "delete_statelock" in refused.json()["detail"]
    assert breaker.generic("UNLOCK", address).status_code == 200


@pytest.fixture
def writer(db: Any) -> APIClient:
    """A client of another person, who may write states."""
    rights = ["workspaces.view_workspace", "workspaces.view_stateversion", "workspaces.add_stateversion"]
    return factories.client(factories.person(*rights))


def test_the_id_that_a_423_shows_does_not_make_the_lock_ones_own(
    api: APIClient, writer: APIClient, address: str
) -> None:
    lock(api, address)
    seen = lock(writer, address, ID="other").json()["ID"]
    assert lock(writer, address, ID=seen).status_code == 423
    assert post(writer, f"{address}?ID={seen}", factories.state(1)).status_code == 423
    assert lock(writer, address, "UNLOCK", ID=seen).status_code == 409
    assert StateLock.objects.exists() and not StateVersion.objects.exists()


def test_nobody_writes_into_a_running_apply(workspace: Workspace, writer: APIClient, address: str) -> None:
    StateLock.objects.create(workspace=workspace, lock_id=INFO["ID"], info=INFO, holder="task:7", task_id=7, epoch=1)
    assert post(writer, f"{address}?ID={INFO['ID']}", factories.state(1)).status_code == 423
    assert not StateVersion.objects.exists()


def test_the_lock_of_a_task_is_not_broken_by_hand(api: APIClient, workspace: Workspace, address: str) -> None:
    StateLock.objects.create(workspace=workspace, lock_id=INFO["ID"], info=INFO, holder="task:7", task_id=7, epoch=1)
    for answer in (api.generic("UNLOCK", address), lock(api, address, "UNLOCK")):
        assert answer.status_code == 409 and "task 7" in answer.json()["detail"]
    assert StateLock.objects.exists()


@pytest.mark.parametrize(
    "body",
    ["{", "[]", '{"ID": ""}', "{}", '{"ID": 5}', '{"ID": "a\\u0000"}', '{"ID": "\\ud800"}', '{"ID": {}}'],
)
def test_a_lock_that_makes_no_sense_is_400(api: APIClient, address: str, body: str) -> None:
    assert api.generic("LOCK", address, body, content_type="application/json").status_code == 400
    too_long = json.dumps({"ID": "x" * 201})
    assert api.generic("LOCK", address, too_long, content_type="application/json").status_code == 400


def test_a_token_is_taken_as_a_password(ann: User, address: str) -> None:
    def basic(password: str) -> int:
        pair = base64.b64encode(f"whoever:{password}".encode()).decode()
        return int(Client().get(address, headers={"Authorization": f"Basic {pair}"}).status_code)

    assert basic(factories.token(ann)) == 204
    assert (basic("wrong"), basic("")) == (401, 401)


def test_a_session_reads_and_writes_with_csrf(ann: User, address: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    assert browser.get(address).status_code == 204
    assert post(browser, address, factories.state(1)).status_code == 403


def test_without_credentials_it_is_401(address: str) -> None:
    for answer in (Client().get(address), lock(Client(), address), Client().delete(address)):
        assert answer.status_code == 401


def test_reading_and_writing_are_rights_of_their_own(workspace: Workspace, address: str) -> None:
    seeing = factories.client(factories.person("workspaces.view_workspace"))
    assert [seeing.get(address).status_code, post(seeing, address, factories.state(1)).status_code] == [403, 403]
    reading = factories.client(factories.person("workspaces.view_workspace", "workspaces.view_stateversion"))
    assert [reading.get(address).status_code, lock(reading, address).status_code] == [204, 403]
    assert not StateVersion.objects.exists()
