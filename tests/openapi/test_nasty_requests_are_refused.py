"""What no description leads to, at every address: half characters, numbers without end, depths, types that are none."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from tests import factories as rows
from tests.openapi import addresses
from tests.openapi.world import Names, World, planning, token_of

pytestmark = pytest.mark.django_db

PLAIN = "application/json"
BODIES = [
    b"{",
    b"\xff\xfe",
    b'"text"',
    b"[null]",
    b'{"\\u0000": 1}',
    b'{"name": "\\ud800", "reason": "\\udfff", "key": "\\ud800", "files": {"main.tf": "\\ud800"}}',
    b'{"name": "a\\u0000b", "reason": "\\u0000", "key": "\\u0000", "files": {"\\u0000": ""}}',
    b'{"name": NaN}',
    b'{"serial": 1e400, "until": 1e400, "plan_timeout_seconds": 1e400}',
    b'{"serial": ' + b"9" * 5000 + b"}",
    b'{"min_replicas": 99999999999999999999, "name": "x", "lineage": [], "serial": 99999999999999999999, "version": 4}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
]
SEGMENTS = ["%00", "%ED%A0%80", "%FF", "9" * 40, "-1", "..%2F..", "a" * 3000, "%E2%80%AE"]
VALUES = ["\0", "9" * 40, "-1", "[]", "1e400", "a" * 3000, "\u202e", "\u0661"]
TYPES = [
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "application/json; charset=utf-16",
    "x",
    "",
]

Described = dict[str, Any]


@pytest.fixture
def client(world: World, path: str) -> APIClient:
    """Whoever has business at the path. A fault of ours raises in it."""
    if path.startswith("/api/"):
        return rows.client(world.ann)
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {token_of(planning())}")
    return made


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.mark.parametrize("path", addresses.under("/api/v1/"))
def test_it_is_never_a_fault_of_ours(description: Described, world: World, client: Any, path: str) -> None:
    known = next(iter(world.names(path)), {})
    for method, operation in description["paths"][path].items():
        for address in [*_elsewhere(path, known), *_asked(path.format(**known), operation)]:
            _check(client.generic(method.upper(), address, b"{}", PLAIN), method, address)
        if method != "get":
            _check_bodies(client, method, path.format(**known))


def _check_bodies(client: Any, method: str, address: str) -> None:
    for body in BODIES:
        answer = client.generic(method.upper(), address, body, PLAIN)
        _check(answer, method, address, body[:60])
        assert method == "delete" or answer.status_code >= 400, (method, address, body[:60])
    for kind in TYPES:
        _check(client.generic(method.upper(), address, b"a=b", kind), method, address, kind)


def _elsewhere(path: str, known: Names) -> Iterator[str]:
    """Yield the address with each of its parameters made nasty."""
    for name in known:
        yield from (path.format(**{**known, name: segment}) for segment in SEGMENTS)


def _asked(address: str, operation: Described) -> Iterator[str]:
    names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
    return (f"{address}?{name}={quote(value)}" for name in names for value in VALUES)


def _check(answer: Any, *what: object) -> None:
    assert answer.status_code < 500, (*what, answer.status_code)
    if answer.status_code >= 400:
        problem = answer.json()
        assert answer["Content-Type"] == "application/problem+json" and problem["detail"], (*what, problem)
