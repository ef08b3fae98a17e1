"""How much a request may bring, counted at the door as it arrives: with a length, without one, or with a wrong one."""

import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings

from iacplatform.handling import Handler
from iacplatform.intake import ENVELOPE_BYTES, Intake, limit
from tests import factories
from tests.agents.sockets import do
from tests.waiting import ENOUGH_SECONDS
from workspaces import manifests

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
WORKSPACES = "/api/v1/workspaces"


async def send(path: str, chunks: list[bytes], headers: list[tuple[bytes, bytes]]) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of the answer to a POST whose body comes in chunks."""
    django: Any = Handler()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), *headers],
    }
    communicator: Any = ApplicationCommunicator
    caller = communicator(Intake(django), scope)
    for number, chunk in enumerate(chunks, start=1):
        await caller.send_input({"type": "http.request", "body": chunk, "more_body": number < len(chunks)})
    start, body = (
        await caller.receive_output(timeout=ENOUGH_SECONDS),
        await caller.receive_output(timeout=ENOUGH_SECONDS),
    )
    await caller.wait(timeout=ENOUGH_SECONDS)  # until its connection to the database is given back
    return int(start["status"]), json.loads(body["body"] or b"{}")


CHUNKED = [(b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize("size", [LIMIT + 1, 10 * LIMIT])
@pytest.mark.parametrize("path", [WORKSPACES, "/login/", "/api/v1/workspaces/ws-1/lock"])
async def test_a_body_of_unknown_length_ends_at_the_limit(size: int, path: str) -> None:
    chunk = b" " * 65536
    chunks = [chunk] * (size // len(chunk)) + [b" " * (size % len(chunk))]
    status, problem = await send(path, chunks, CHUNKED)
    assert (status, problem["code"]) == (413, "too_large")
    assert f"{LIMIT:,} bytes" in problem["detail"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT])
async def test_a_body_within_the_limit_reaches_the_api(size: int) -> None:
    status, problem = await send(WORKSPACES, [b" " * size], CHUNKED)
    assert (status, problem["code"]) == (401, "not_authenticated")


async def test_a_length_that_lies_does_not_help() -> None:
    status, _ = await send(WORKSPACES, [b" " * (LIMIT + 1)], [(b"content-length", b"10")])
    assert status == 413


@pytest.mark.django_db(transaction=True)
async def test_a_body_in_chunks_is_read_whole() -> None:
    token = await do(lambda: factories.token(factories.admin()))
    bearer = (b"authorization", f"Bearer {token}".encode())
    status, made = await send(WORKSPACES, [b'{"na', b'me": "we', b'b"}'], [*CHUNKED, bearer])
    assert (status, made["name"]) == (201, "web")


@pytest.mark.django_db(transaction=True)
async def test_texts_stay_bounded_where_archives_may_be_large() -> None:
    token = await do(lambda: factories.token(factories.admin()))
    workspace = await do(factories.workspace)
    bearer = (b"authorization", f"Bearer {token}".encode())
    path = f"/api/v1/workspaces/{workspace.pk}/configurations"
    status, problem = await send(path, [b" " * LIMIT, b" "], [*CHUNKED, bearer])
    assert (status, problem["code"]) == (413, "too_large")


def test_large_bodies_have_addresses_of_their_own() -> None:
    assert limit("/api/v1/workspaces/ws-1/state") == settings.STATE_MAX_BYTES
    assert limit("/api/v1/workspaces/ws-1/state-versions") == settings.STATE_MAX_BYTES
    for path in ("/api/v1/workspaces/ws-1/configurations", "/workspaces/ws-1/configurations"):
        assert limit(path) == settings.CONFIGURATION_MAX_BYTES + ENVELOPE_BYTES
    assert limit("/agents/v1/attempt/configuration/manifest") == manifests.MOST_BYTES
    assert limit("/agents/v1/attempt/plan/file") == settings.PLAN_PART_MAX_BYTES
    for path in ("/api/v1/workspaces/ws-1/state/x", "/api/v1/workspaces/a/b/state", "/", "/agents/v1/attempt"):
        assert limit(path) == LIMIT
