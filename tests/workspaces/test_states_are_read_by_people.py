"""What a state holds, in words and in the API: outputs, resources, and how two states differ; no secret among them."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from iacplatform.base.problems import Invalid
from tests import factories
from workspaces import state_contents, state_documents, states
from workspaces.models import Workspace
from workspaces.state_api import person
from workspaces.state_contents import Change

SECRET = "hunter2-hunter2"


def state(serial: int = 1, *, resources: Any = (), outputs: Any = None) -> bytes:
    """Return a state as terraform 1.11 writes it."""
    head = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": "lineage-1"}
    return json.dumps({**head, "outputs": outputs or {}, "resources": list(resources)}).encode()


def resource(name: str, *instances: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a resource of the state with these instances."""
    provider = 'provider["terraform.io/builtin/terraform"]'
    known = {"mode": "managed", "type": "terraform_data", "name": name, "provider": provider}
    return {**known, **members, "instances": list(instances)}


def parsed(serial: int = 1, **members: Any) -> dict[str, Any]:
    return state_documents.parse(state(serial, **members))


def instance(index: Any = None, **attributes: Any) -> dict[str, Any]:
    """Return an instance with these attributes."""
    return {"schema_version": 0, "attributes": attributes, **({} if index is None else {"index_key": index})}


OUTPUTS = {
    "url": {"value": "https://example.org", "type": "string"},
    "token": {"value": SECRET, "type": "string", "sensitive": True},
    "zones": {"value": ["a", "b"], "type": ["list", "string"]},
}


def test_outputs_are_listed_by_name_without_what_is_sensitive() -> None:
    found = state_contents.outputs(parsed(outputs=OUTPUTS))
    assert [(each.name, each.value, each.sensitive) for each in found] == [
        ("token", None, True),
        ("url", "https://example.org", False),
        ("zones", ["a", "b"], False),
    ]


def test_each_instance_has_the_address_that_the_engine_gives_it() -> None:
    rows = [
        resource("one", instance()),
        resource("many", instance(0), instance(1)),
        resource("each", instance('a"b'), module="module.net"),
        resource("looked_up", instance(), mode="data"),
    ]
    assert [each.address for each in state_contents.resources(parsed(resources=rows))] == [
        "data.terraform_data.looked_up",
        'module.net.terraform_data.each["a\\"b"]',
        "terraform_data.many[0]",
        "terraform_data.many[1]",
        "terraform_data.one",
    ]


def test_a_difference_names_what_came_went_and_changed() -> None:
    old = parsed(resources=[resource("kept", instance(size=1, tags=["x"])), resource("gone", instance())])
    new = parsed(resources=[resource("kept", instance(size=2, tags=["x"])), resource("new", instance())])
    found = state_contents.difference(old, new)
    assert (found.added, found.removed) == (["terraform_data.new"], ["terraform_data.gone"])
    assert found.changed == [Change(address="terraform_data.kept", attributes=["size"])]


def test_a_difference_of_outputs_tells_no_value() -> None:
    changed = {**OUTPUTS, "token": {"value": "another", "type": "string", "sensitive": True}, "extra": {"value": 1}}
    found = state_contents.difference(parsed(outputs=OUTPUTS), parsed(outputs=changed))
    assert (found.outputs_added, found.outputs_removed, found.outputs_changed) == (["extra"], [], ["token"])


def test_an_instance_that_waits_to_be_destroyed_is_told_apart_from_its_successor() -> None:
    deposed = {**instance(size=1), "deposed": "a1b2c3d4"}
    old, new = parsed(resources=[resource("one", instance())]), parsed(resources=[resource("one", instance(), deposed)])
    assert state_contents.difference(old, new).added == ["terraform_data.one (deposed a1b2c3d4)"]
    assert [each.deposed for each in state_contents.resources(new)] == ["", "a1b2c3d4"]


@pytest.mark.parametrize(
    "odd",
    [
        {"resources": "none"},
        {"resources": [1, {"instances": 2}, {"instances": [3]}]},
        {"outputs": [1]},
        {"outputs": {"a": 1}},
        {"resources": [resource("one", {"attributes": "flat"})]},
    ],
)
def test_what_no_engine_writes_is_passed_over(odd: dict[str, Any]) -> None:
    content = {"version": 4, **odd}
    assert state_contents.outputs(content) == []
    assert state_contents.difference(content, content).changed == []
    assert len(state_contents.resources(content)) <= 1


def test_what_is_no_state_is_refused_in_words() -> None:
    with pytest.raises(Invalid, match="no JSON object"):
        state_documents.parse(b"[]")


def test_what_not_every_reader_of_json_takes_is_read_all_the_same(workspace: Workspace, api: APIClient) -> None:
    outputs = '{"a": {"value": [NaN, 1e999, "\\ud800"], "type": "dynamic"}, "\\udfff": {"value": 1, "type": "number"}}'
    rows = '[{"mode": "managed", "type": "t", "name": "n", "instances": [{"index_key": "\\ud800"}]}]'
    odd = f'{{"version": 4, "serial": 9, "lineage": "lineage-1", "outputs": {outputs}, "resources": {rows}}}'
    states.upload(workspace.pk, odd.encode(), person(factories.admin(), workspace.pk))
    found = api.get(_at(workspace, 9, "outputs")).json()["results"]
    assert {row["name"]: row["value"] for row in found} == {"a": [None, None, "?"], "?": 1}
    assert api.get(_at(workspace, 9, "resources")).json()["results"][0]["address"] == 't.n["?"]'
    assert api.get(_at(workspace, 9, "difference")).json()["added"] == ['t.n["?"]']


@pytest.fixture
def workspace(db: Any) -> Workspace:
    """A workspace with two versions of a state."""
    made = factories.workspace()
    ann = person(factories.admin(), made.pk)
    states.upload(made.pk, state(1, resources=[resource("one", instance(size=1))], outputs=OUTPUTS), ann)
    rows = [resource("one", instance(size=2)), resource("two", instance(0), instance(1))]
    states.upload(made.pk, state(5, resources=rows, outputs=OUTPUTS), ann)
    return made


@pytest.fixture
def api(workspace: Workspace) -> APIClient:
    """A client of a person who may do everything."""
    return factories.client(factories.admin())


def _at(workspace: Workspace, serial: int, part: str) -> str:
    return f"/api/v1/workspaces/{workspace.pk}/state-versions/{serial}/{part}"


def test_the_api_gives_outputs_and_no_secret(api: APIClient, workspace: Workspace) -> None:
    answer = api.get(_at(workspace, 5, "outputs"))
    assert (answer.status_code, answer.json()["count"]) == (200, 3)
    assert SECRET not in answer.content.decode()


def test_the_api_gives_resources_in_pages(api: APIClient, workspace: Workspace) -> None:
    first = api.get(_at(workspace, 5, "resources"), {"page_size": 2}).json()
    assert [row["address"] for row in first["results"]] == ["terraform_data.one", "terraform_data.two[0]"]
    assert (first["count"], first["count_is_exact"]) == (3, True)
    assert [row["address"] for row in api.get(first["next"]).json()["results"]] == ["terraform_data.two[1]"]


def test_the_api_compares_with_the_version_before_or_with_a_named_one(api: APIClient, workspace: Workspace) -> None:
    before = api.get(_at(workspace, 5, "difference")).json()
    assert before["changed"] == [{"address": "terraform_data.one", "attributes": ["size"]}]
    assert before["added"] == ["terraform_data.two[0]", "terraform_data.two[1]"]
    assert api.get(_at(workspace, 5, "difference"), {"from": 1}).json() == before
    assert api.get(_at(workspace, 1, "difference"), {"from": 5}).json()["removed"] == before["added"]
    assert api.get(_at(workspace, 1, "difference")).json()["added"] == ["terraform_data.one"]


@pytest.mark.parametrize(("asked", "status"), [("7", 404), ("x", 400), ("-1", 400), ("9" * 30, 400)])
def test_a_version_that_is_not_there_is_said_to_be_missing(
    api: APIClient, workspace: Workspace, asked: str, status: int
) -> None:
    assert api.get(_at(workspace, 5, "difference"), {"from": asked}).status_code == status
    assert api.get(_at(workspace, 2, "resources")).status_code == 404


def test_who_may_not_see_states_reads_nothing_of_them(workspace: Workspace) -> None:
    eve = factories.client(factories.person("workspaces.view_workspace"))
    for part in ("outputs", "resources", "difference"):
        assert eve.get(_at(workspace, 5, part)).status_code in {403, 404}
