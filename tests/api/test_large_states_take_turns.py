"""A process looks into one large state at a time; who waits too long is told so, and nothing is half done."""

import json
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests import factories
from tests.console import pages
from tests.tasks import factories as made
from tests.waiting import ENOUGH_SECONDS
from workspaces import large_states, states
from workspaces.holders import Holder
from workspaces.models import StateVersion, Workspace

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = large_states.LARGE_BYTES + 1
RESOURCES = b'"resources": [{"mode": "managed", "type": "t", "name": "saved", "instances": [{}]}]'


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_states, "PATIENCE_SECONDS", 0.05)


@pytest.fixture
def api() -> APIClient:
    return factories.client(factories.admin())


@pytest.fixture
def workspace() -> Workspace:
    return factories.workspace()


def state(serial: int, size: int = 0) -> bytes:
    """Return a state of at least so many bytes."""
    outputs = {"long": {"value": "x" * size, "type": "string"}}
    return json.dumps({"version": 4, "serial": serial, "lineage": "one", "outputs": outputs, "resources": []}).encode()


def post(api: APIClient, workspace: Workspace, content: bytes, part: str = "-versions") -> Any:
    address = f"/api/v1/workspaces/{workspace.pk}/state{part}"
    return api.post(address, content, content_type="application/json")


def questions(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Return what looks into a version, as method and address."""
    at = f"/api/v1/workspaces/{workspace.pk}/state-versions/2"
    yield from (("get", f"{at}/{part}") for part in ("outputs", "resources", "difference"))
    yield "post", f"{at}/rollback"


def test_a_large_state_is_not_stored_while_another_is_looked_into(api: APIClient, workspace: Workspace) -> None:
    for part in ("-versions", ""):
        with large_states.turn(LARGE):
            answer = post(api, workspace, state(1, LARGE), part)
        assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (503, "5", "try_again")
    assert not StateVersion.objects.exists()
    assert post(api, workspace, state(1, LARGE)).status_code == 201


def test_a_small_one_waits_for_nobody(api: APIClient, workspace: Workspace) -> None:
    with large_states.turn(LARGE):
        assert post(api, workspace, state(1)).status_code == 201
        assert post(api, workspace, state(2)).status_code == 201
        assert [_asked(api, *each) for each in questions(workspace)] == [200, 200, 200, 201]


def test_every_question_about_a_large_one_waits(api: APIClient, workspace: Workspace) -> None:
    for serial in (1, 2):
        assert post(api, workspace, state(serial, LARGE)).status_code == 201
    with large_states.turn(LARGE):
        assert [_asked(api, *each) for each in questions(workspace)] == [503, 503, 503, 503]
    assert [_asked(api, *each) for each in questions(workspace)] == [200, 200, 200, 201]


def test_a_page_about_a_large_one_waits_too(api: APIClient, workspace: Workspace) -> None:
    for serial in (1, 2):
        assert post(api, workspace, state(serial, large_states.LARGE_BYTES // 2)).status_code == 201
    console, address = Client(), f"/workspaces/{workspace.pk}/state-versions/2"
    console.force_login(factories.admin("ann"))
    with large_states.turn(LARGE):
        answer = console.get(address)
    assert answer.status_code == 503 and "try again" in answer.content.decode()
    assert console.get(address).status_code == 200


def test_what_a_lost_apply_did_not_save_is_looked_for_in_turn(api: APIClient) -> None:
    task = made.lose(made.applying(on=made.agent("ada", connected=True)))
    made.say(task, b"t.saved: Creation complete after 0s\nt.unsaved: Creation complete after 0s\n")
    large = state(1, LARGE).replace(b'"resources": []', RESOURCES)
    agent = Holder(name="agent", workspace_id=task.workspace_id, may_write=True, task_id=task.pk)
    states.store(task.workspace_id, large, agent)
    known = f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/aftermath"
    with large_states.turn(LARGE):
        assert api.get(known).status_code == 503
        console = Client()
        console.force_login(factories.admin("ann"))
        page = console.get(pages.address(task))
        assert page.status_code == 200 and "other large states" in page.content.decode()
    found = api.get(known).json()["aftermath"]["resources_after_last_serial"]
    assert found == [{"address": "t.unsaved", "action": "create"}]


def test_no_page_loads_what_it_does_not_show(api: APIClient, workspace: Workspace) -> None:
    assert post(api, workspace, state(1, 8 * 1024 * 1024)).status_code == 201
    console = Client()
    console.force_login(factories.admin("ann"))
    for address in (f"/workspaces/{workspace.pk}", f"/workspaces/{workspace.pk}/state-versions/1"):
        with CaptureQueriesContext(connection) as asked:
            assert console.get(address).status_code == 200
        assert not [each for each in asked.captured_queries if "sealed_content" in each["sql"]]


def test_a_refused_one_ends_its_turn(api: APIClient, workspace: Workspace) -> None:
    assert post(api, workspace, b"{" + b" " * LARGE).status_code == 400
    with large_states.turn(LARGE):
        pass


def test_who_has_patience_gets_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_states, "PATIENCE_SECONDS", 30.0)
    order: list[str] = []
    waits = Event()

    def second() -> None:
        waits.set()
        with large_states.turn(LARGE):
            order.append("second")

    thread = Thread(target=second)
    with large_states.turn(LARGE):
        thread.start()
        assert waits.wait(ENOUGH_SECONDS)
        order.append("first")
    thread.join(ENOUGH_SECONDS)
    assert order == ["first", "second"]


def _asked(api: APIClient, method: str, address: str) -> int:
    answer = getattr(api, method)(address)
    return int(answer.status_code)
