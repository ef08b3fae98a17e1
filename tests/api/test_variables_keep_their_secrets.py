"""Variables in the API: shown, hidden, refused."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories
from workspaces import values
from workspaces.models import Variable, Workspace


@pytest.fixture
def address(workspace: Workspace) -> str:
    """Where the workspace's variables are."""
    return f"/api/v1/workspaces/{workspace.pk}/variables"


def make(api: APIClient, address: str, **fields: Any) -> Any:
    """Return the answer to a new variable."""
    return api.post(address, {"key": "region", "value": "eu", **fields}, format="json")


def test_a_variable_is_made_read_and_changed(api: APIClient, address: str) -> None:
    made = make(api, address).json()
    assert {
        "key": "region",
        "value": "eu",
        "category": "terraform",
        "hcl": False,
        "sensitive": False,
    }.items() <= made.items()
    changed = api.patch(f"{address}/{made['id']}", {"value": "us", "key": "zone"}, format="json").json()
    assert (changed["key"], changed["value"]) == ("zone", "us")
    renamed = api.patch(f"{address}/{made['id']}", {"key": "region"}, format="json").json()
    assert renamed["value"] == "us"
    assert api.delete(f"{address}/{made['id']}").status_code == 204
    assert api.get(address).json()["count"] == 0


def test_a_sensitive_value_is_never_read_back(api: APIClient, address: str) -> None:
    made = make(api, address, value="hunter2", sensitive=True)
    assert made.status_code == 201 and made.json()["value"] is None
    one = f"{address}/{made.json()['id']}"
    answers = [made, api.get(address), api.get(one), api.patch(one, {"key": "other"}, format="json")]
    assert not any(b"hunter2" in answer.content for answer in answers)
    stored = Variable.objects.get()
    assert b"hunter2" not in bytes(stored.sealed_value) and stored.value() == "hunter2"


def test_sensitive_is_taken_back_only_with_a_new_value(api: APIClient, address: str) -> None:
    one = f"{address}/{make(api, address, value='hunter2', sensitive=True).json()['id']}"
    refused = api.patch(one, {"sensitive": False}, format="json")
    assert refused.status_code == 400 and "new value" in refused.json()["errors"]["sensitive"][0]
    opened = api.patch(one, {"sensitive": False, "value": "open"}, format="json")
    assert opened.status_code == 200 and opened.json()["value"] == "open"


@pytest.mark.parametrize("key", ["", "1a", "a b", "a.b", "-a", "count", "for_each", "a" * 129, "ä", "a\0"])
def test_a_key_that_terraform_would_not_take_is_refused(api: APIClient, address: str, key: str) -> None:
    answer = make(api, address, key=key)
    assert answer.status_code == 400 and "key" in answer.json()["errors"]


@pytest.mark.parametrize(
    "key",
    [
        "PATH",
        "LD_PRELOAD",
        "DYLD_INSERT_LIBRARIES",
        "TF_CLI_ARGS",
        "TF_CLI_ARGS_plan",
        "TF_CLI_CONFIG_FILE",
        "TF_REATTACH_PROVIDERS",
        "TF_LOG",
        "TF_LOG_PATH",
        "TF_HTTP_ADDRESS",
        "TF_HTTP_PASSWORD",
        "TF_DATA_DIR",
        "TF_INPUT",
        "TF_IN_AUTOMATION",
        "TF_VAR_region",
        "GIT_SSH_COMMAND",
        "SSH_AUTH_SOCK",
        "IAC_SERVER",
        "IAC_AGENT_TOKEN",
        "HOME",
        "SHELL",
        "path",
        "Ld_Preload",
        "PYTHONPATH",
        "A-B",
        "1A",
    ],
)
def test_an_environment_that_steers_the_agent_is_refused(api: APIClient, address: str, key: str) -> None:
    answer = make(api, address, key=key, category="env")
    assert answer.status_code == 400 and "key" in answer.json()["errors"], answer.content


def test_an_input_variable_in_the_environment_is_told_its_place(api: APIClient, address: str) -> None:
    said = make(api, address, key="TF_VAR_region", category="env").json()["errors"]["key"][0]
    assert "category terraform with the key region" in said


@pytest.mark.parametrize("key", ["AWS_REGION", "HTTPS_PROXY", "TF_TOKEN_app_example_org", "_x", "lower"])
def test_an_ordinary_environment_is_taken(api: APIClient, address: str, key: str) -> None:
    assert make(api, address, key=key, category="env").status_code == 201


def test_an_expression_has_to_parse(api: APIClient, address: str) -> None:
    assert make(api, address, value='["a", "b"]', hcl=True).status_code == 201
    refused = make(api, address, key="other", value="[secret", hcl=True)
    assert refused.status_code == 400 and "value" in refused.json()["errors"]
    assert b"secret" not in refused.content
    assert make(api, address, key="ENV", category="env", value="[]", hcl=True).status_code == 400


def test_the_size_of_a_value_is_bounded(api: APIClient, address: str) -> None:
    for size, status in ((values.MOST_BYTES, 201), (values.MOST_BYTES + 1, 400)):
        assert make(api, address, key=f"k{size}", value="x" * size).status_code == status


def test_the_number_of_variables_is_bounded(
    api: APIClient, workspace: Workspace, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "MOST_VARIABLES", 2)
    statuses = [make(api, address, key=f"k{number}").status_code for number in range(3)]
    assert statuses == [201, 201, 400]
    one = Variable.objects.first()
    assert one is not None
    assert api.patch(f"{address}/{one.pk}", {"value": "z"}, format="json").status_code == 200


def test_a_key_stands_once_in_each_category(api: APIClient, address: str) -> None:
    assert [make(api, address).status_code, make(api, address).status_code] == [201, 400]
    assert make(api, address, category="env").status_code == 201


def test_a_variable_of_another_workspace_is_not_found(api: APIClient, address: str) -> None:
    other = factories.workspace()
    pk = make(api, address).json()["id"]
    assert api.get(f"/api/v1/workspaces/{other.pk}/variables/{pk}").status_code == 404
    assert api.delete(f"/api/v1/workspaces/{other.pk}/variables/{pk}").status_code == 404
