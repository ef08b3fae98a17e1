"""Agents over HTTP: who is connected, what their slots do, and how one is let go."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from iacplatform.base import clock
from tests import factories as rows
from tests.tasks import factories

AGENTS = "/api/v1/agents"

pytestmark = pytest.mark.django_db


def test_an_agent_has_the_fields_of_the_contract(api: APIClient) -> None:
    ada = factories.agent("ada", connected=True, capacity=1, pod_name="pod-1", fetches=["tofu"])
    shown = api.get(f"{AGENTS}/{ada.pk}").json()
    known = {"agent_id": ada.pk, "name": "ada", "pool_id": ada.pool_id, "pod_name": "pod-1", "connected": True}
    assert known.items() <= shown.items()
    assert shown["engines"] == [{"name": "terraform", "version": "1.11.4"}]
    assert shown["fetches"] == ["tofu"]
    assert shown["slots"] == [{"index": 0, "state": "free", "task_id": None}]
    assert shown["last_seen_at"] is not None


def test_slots_say_what_holds_them(api: APIClient) -> None:
    ada = factories.agent("ada", capacity=4)
    offered = factories.offered(on=ada)
    running = factories.planning(on=ada)
    reserved = factories.awaiting_confirmation(on=ada)
    slots = api.get(f"{AGENTS}/{ada.pk}").json()["slots"]
    assert [(slot["index"], slot["state"], slot["task_id"]) for slot in slots] == [
        (0, "offered", offered.pk),
        (1, "running", running.pk),
        (2, "reserved", reserved.pk),
        (3, "free", None),
    ]


def test_a_slot_that_an_agent_came_back_without_is_still_shown_while_held(api: APIClient) -> None:
    ada = factories.agent("ada", capacity=2)
    factories.planning(on=ada)
    second = factories.planning(on=ada)
    ada.capacity = 1
    ada.save()
    slots = api.get(f"{AGENTS}/{ada.pk}").json()["slots"]
    assert [(slot["index"], slot["task_id"]) for slot in slots][1] == (1, second.pk)


def test_a_draining_agent_has_no_free_slot(api: APIClient) -> None:
    ada = factories.agent("ada", connected=True, capacity=2)
    task = factories.planning(on=ada)
    answer = api.post(f"{AGENTS}/{ada.pk}/drain")
    assert (answer.status_code, answer.json()["draining"]) == (200, True)
    assert [(slot["state"], slot["task_id"]) for slot in answer.json()["slots"]] == [
        ("running", task.pk),
        ("draining", None),
    ]
    assert api.post(f"{AGENTS}/{ada.pk}/drain").status_code == 200


def test_an_agent_is_connected_while_its_session_is_within_its_lease(api: APIClient) -> None:
    ada = factories.agent("ada", connected=True)
    factories.agent("bob")
    assert [each["name"] for each in api.get(AGENTS, {"connected": "true"}).json()["results"]] == ["ada"]
    assert [each["name"] for each in api.get(AGENTS, {"connected": "false"}).json()["results"]] == ["bob"]
    clock.shift(timedelta(minutes=1))
    assert api.get(f"{AGENTS}/{ada.pk}").json()["connected"] is False


def test_agents_are_narrowed_by_pool(api: APIClient) -> None:
    factories.agent("ada")
    bob = factories.agent("bob", pool=rows.pool())
    assert [each["name"] for each in api.get(AGENTS, {"pool_id": bob.pool_id}).json()["results"]] == ["bob"]


def test_a_long_list_asks_as_few_questions_as_a_short_one(api: APIClient) -> None:
    factories.planning(on=factories.agent())
    short = _queries(api)
    for _ in range(4):
        factories.planning(on=factories.agent())
    assert _queries(api) == short


def _queries(api: APIClient) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert api.get(AGENTS).status_code == 200
    return len(asked)


@pytest.mark.parametrize("body", [[1], "text", {"now": True}], ids=str)
def test_draining_takes_no_words(api: APIClient, body: object) -> None:
    ada = factories.agent("ada")
    assert api.post(f"{AGENTS}/{ada.pk}/drain", body, format="json").status_code == 400


@pytest.mark.parametrize("name", ["agent-none", "-1", "99999999999999999999", "x" * 3000])
def test_an_agent_that_is_not_there_is_not_found(api: APIClient, name: str) -> None:
    assert api.get(f"{AGENTS}/{name}").status_code == 404
    assert api.post(f"{AGENTS}/{name}/drain").status_code == 404


def test_who_sees_no_agents_finds_none(stranger: APIClient) -> None:
    ada = factories.agent("ada")
    assert stranger.get(AGENTS).json()["results"] == []
    assert stranger.get(f"{AGENTS}/{ada.pk}").status_code == 404
    assert stranger.post(f"{AGENTS}/{ada.pk}/drain").status_code == 404


def test_a_viewer_does_not_drain() -> None:
    ada = factories.agent("ada")
    answer = rows.client(rows.person("agents.view_agent")).post(f"{AGENTS}/{ada.pk}/drain")
    assert answer.status_code == 403
    assert "agents.change_agent" in answer.json()["detail"]
    ada.refresh_from_db()
    assert not ada.draining
