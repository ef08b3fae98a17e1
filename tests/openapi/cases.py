"""Requests made from the description, and what must hold of every answer."""

import os
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.openapi.world import Names

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "0"))
"""Requests for each operation and caller in a campaign, other ones every time; 0: few, and the same every time."""

METHODS = ("get", "post", "put", "patch", "delete")
"""DELETE comes last: it takes away what the others look at."""

HOLDS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.ignored_auth,
]

_EVERY_TIME = settings(max_examples=8, phases=[Phase.generate])
_CAMPAIGN = settings(max_examples=max(1, EXAMPLES), derandomize=False, phases=[Phase.generate, Phase.shrink])


def ask_all(api: OpenApiSchema, path: str, known: list[Names], headers: dict[str, str]) -> None:
    """Send requests for every method of the path, to `known` rows and to others, and check each answer."""
    for operation in _operations(api, path):
        _ask(operation, known, headers)


def _operations(api: OpenApiSchema, path: str) -> Iterator[Any]:
    methods = api[path]
    return (methods[method] for method in METHODS if method in set(methods))


def _ask(operation: Any, known: list[Names], headers: dict[str, str]) -> None:
    @settings(_CAMPAIGN if EXAMPLES else _EVERY_TIME, suppress_health_check=list(HealthCheck))
    @given(case=_cases(operation, known))
    def every_answer_holds(case: Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=HOLDS)

    every_answer_holds()


def _cases(operation: Any, known: list[Names]) -> st.SearchStrategy[Case[Any]]:
    """Return valid requests to known rows and to any others, and invalid ones where there is something to get wrong."""
    valid = [operation.as_strategy(path_parameters=names) for names in known]
    wild = [operation.as_strategy()] if operation.path_parameters or not known else []
    return st.one_of(*valid, *wild, *_invalid(operation, known))


def _invalid(operation: Any, known: list[Names]) -> list[st.SearchStrategy[Case[Any]]]:
    if not (operation.body or operation.query):
        return []
    names = known[0] if known else None
    return [operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=names)] * 2
