"""The OpenAPI description: complete, without a warning, and true of what is answered."""

from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from tests.openapi import addresses
from tests.tasks import factories

TASK = "/api/v1/workspaces/{ws}/tasks/{task_id}"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


def test_it_is_valid_and_nothing_was_guessed(schema: dict[str, Any]) -> None:
    validate_schema(schema)
    assert not GENERATOR_STATS._warn_cache, dict(GENERATOR_STATS._warn_cache)
    assert not GENERATOR_STATS._error_cache, dict(GENERATOR_STATS._error_cache)


def test_it_names_every_address_of_the_api(schema: dict[str, Any]) -> None:
    assert schema["paths"].keys() == {*addresses.under("/api/v1/"), *addresses.under("/agents/v1/")}


def test_every_answer_may_be_a_problem(schema: dict[str, Any]) -> None:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                is_problem = list(answer.get("content", {})) == ["application/problem+json"]
                assert is_problem == (status[0] in "45"), (method, path, status)
            assert {"400", "401", "500", "503"} <= operation["responses"].keys()


def test_what_cannot_be_missing_is_not_404(schema: dict[str, Any]) -> None:
    assert "404" not in schema["paths"]["/api/v1/workspaces"]["post"]["responses"]
    assert "404" in schema["paths"]["/api/v1/workspaces"]["get"]["responses"]  # a page after the last one
    assert "404" in schema["paths"]["/api/v1/workspaces/{ws}"]["get"]["responses"]


@pytest.mark.parametrize("path", ["state", "state-versions", "state-versions/{serial}/rollback"])
def test_what_a_lock_keeps_out_says_so(schema: dict[str, Any], path: str) -> None:
    assert "423" in schema["paths"][f"/api/v1/workspaces/{{ws}}/{path}"]["post"]["responses"]


def test_a_body_takes_the_fields_that_it_names_and_no_others(schema: dict[str, Any]) -> None:
    shapes = schema["components"]["schemas"]
    bodies = {name: shape for name, shape in shapes.items() if name.endswith("Request") and "Shape" not in name}
    assert bodies and all(shape["additionalProperties"] is False for shape in bodies.values())


def test_a_value_is_given_as_a_text_and_may_be_shown_as_null(schema: dict[str, Any]) -> None:
    shapes = schema["components"]["schemas"]
    assert shapes["VariableRequest"]["properties"]["value"] == {"type": "string"}
    assert shapes["Variable"]["properties"]["value"] == {"type": "string", "nullable": True}


@pytest.mark.parametrize(
    ("path", "schemes"),
    [
        ("/api/v1/workspaces", {"apiToken", "session"}),
        ("/agents/v1/attempt", {"attemptToken", "attemptTokenAsPassword"}),
        (
            "/api/v1/workspaces/{ws}/state",
            {"attemptToken", "attemptTokenAsPassword", "apiToken", "apiTokenAsPassword", "session"},
        ),
    ],
)
def test_each_address_names_who_may_ask(schema: dict[str, Any], path: str, schemes: set[str]) -> None:
    security = schema["paths"][path]["get"]["security"]
    assert [len(each) for each in security] == [1] * len(schemes)
    assert {name for each in security for name in each} == schemes <= schema["components"]["securitySchemes"].keys()


def test_lists_are_described_as_lists(schema: dict[str, Any]) -> None:
    for path in ("outputs", "resources"):
        operation = schema["paths"][f"/api/v1/workspaces/{{ws}}/state-versions/{{serial}}/{path}"]["get"]
        shape = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
        assert schema["components"]["schemas"][shape]["properties"]["results"]["type"] == "array"
        assert {"page", "page_size"} <= {each["name"] for each in operation["parameters"]}


@pytest.mark.parametrize(
    ("verb", "codes"),
    [
        ("confirm-apply", {"200", "202"}),
        ("retry", {"200", "201", "202"}),
        ("discard", {"200"}),
        ("cancel", {"200"}),
        ("force-cancel", {"200"}),
        ("mark-failed", {"200"}),
        ("release-lock", {"200"}),
    ],
)
def test_each_verb_names_its_answers(schema: dict[str, Any], verb: str, codes: set[str]) -> None:
    answers = schema["paths"][f"{TASK}/{verb}"]["post"]["responses"]
    assert {code for code in answers if code.startswith("2")} == codes
    assert "409" in answers


def test_the_log_is_text_with_headers_to_page_on(schema: dict[str, Any]) -> None:
    answer = schema["paths"][f"{TASK}/log"]["get"]["responses"]["200"]
    assert list(answer["content"]) == ["text/plain"]
    assert {"X-Log-Offset", "X-Log-Complete", "X-Log-Attempt"} <= answer["headers"].keys()


@pytest.mark.django_db
def test_a_task_has_the_members_that_are_described(schema: dict[str, Any], api: APIClient) -> None:
    task = factories.awaiting_confirmation()
    shown = api.get(f"/api/v1/tasks/{task.pk}").json()
    described = schema["components"]["schemas"]
    assert shown.keys() == described["Task"]["properties"].keys()
    assert shown["wait_reason"].keys() == described["WaitReason"]["properties"].keys()


@pytest.mark.django_db
def test_it_is_served(api: APIClient) -> None:
    answer = api.get("/api/schema/", {"format": "json"})
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.")
