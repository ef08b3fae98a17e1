"""The OpenAPI description: complete, without a warning, and true of what is answered."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from tests.tasks import factories

PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
TASK = "/api/v1/workspaces/{ws}/tasks/{task_id}"


def routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    """Yield the whole route of every view."""
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, before + str(each.pattern))
        else:
            yield before + str(each.pattern)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


def test_it_is_valid_and_nothing_was_guessed(schema: dict[str, Any]) -> None:
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS._warn_cache, dict(GENERATOR_STATS._warn_cache)
    assert not GENERATOR_STATS._error_cache, dict(GENERATOR_STATS._error_cache)


def test_it_names_every_address_of_the_api(schema: dict[str, Any]) -> None:
    served = {
        "/" + PARAMETER.sub(r"{\1}", route).replace("{pk}", "{id}") for route in routes(get_resolver().url_patterns)
    }
    assert schema["paths"].keys() == {route for route in served if route.startswith("/api/v1/")}


def test_every_answer_may_be_a_problem(schema: dict[str, Any]) -> None:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            refused = operation["responses"]["404"]["content"]
            assert "application/problem+json" in refused, (method, path)


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
