"""A state of size is stored, read back, listed and compared in bounded memory.

`IAC_TEST_STATE_MEGABYTES=50 python -m pytest -s tests/api/test_states_at_size.py` is the whole proof; without it a tenth.
"""

import gc
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests import factories, processes
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTES = int(os.environ.get("IAC_TEST_STATE_MEGABYTES", "5"))
INSTANCES = 10
"""Of one resource, each of about 600 bytes."""

MOST_GROWTH = 13
"""Of the process's memory while a request lasts, against the size of a state: its text, parsed and sealed, with the copies on the way."""
ALWAYS_BYTES = 32_000_000
"""What any request may take besides: the first of a process loads modules."""


def _state(serial: int, *, size: int) -> bytes:
    provider = 'provider["terraform.io/builtin/terraform"]'
    known = {"mode": "managed", "type": "terraform_data", "provider": provider}
    count = size // (600 * INSTANCES)
    rows = [{**known, "name": f"r{number}", "instances": _instances(number, serial)} for number in range(count)]
    outputs = {"url": {"value": "https://example.org", "type": "string"}}
    head = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": "lineage-1"}
    return json.dumps({**head, "outputs": outputs, "resources": rows}).encode()


def _instances(number: int, serial: int) -> list[dict[str, Any]]:
    text = f"{serial if number == 7 else 0} {'x' * 430} {number}"
    value = {"value": text, "type": "string"}
    return [{"index_key": key, "schema_version": 0, "attributes": {"input": value}} for key in range(INSTANCES)]


@contextmanager
def _measured(what: str, size: int) -> Iterator[None]:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # from now on the peak is a new one, see proc(5)
    before, began = processes.peak_kilobytes(os.getpid()), time.monotonic()
    yield
    growth = (processes.peak_kilobytes(os.getpid()) - before) * 1024
    print(f"{what}: {time.monotonic() - began:.1f} s, {growth / size:.1f} times {size / 1e6:.1f} MB")
    assert growth < MOST_GROWTH * size + ALWAYS_BYTES, what


def test_every_question_about_it_is_answered_in_bounded_memory() -> None:
    workspace, api = factories.workspace(), factories.client(factories.admin())
    old, new = (_state(serial, size=MEGABYTES * 1_000_000) for serial in (1, 2))
    for content in (old, new):
        with _measured("upload", len(content)):
            assert _post(api, workspace, content).status_code == 201
    assert _ask(api, workspace, "", len(new))["count"] == 2
    assert _ask(api, workspace, "/2/outputs", len(new))["results"][0]["name"] == "url"
    found = _ask(api, workspace, "/2/resources", len(new))
    assert (found["count"], found["count_is_exact"]) == (min(10_000, _rows(new)), _rows(new) <= 10_000)
    changed = _ask(api, workspace, "/2/difference", len(new))["changed"]
    assert [each["attributes"] for each in changed] == [["input"]] * INSTANCES
    with _measured("download", len(new)):
        assert api.get(f"{_at(workspace)}/2", {"content": "true"}).content == new
    with _measured("rollback", len(old)):
        assert api.post(f"{_at(workspace)}/1/rollback").status_code == 201


def _rows(content: bytes) -> int:
    return content.count(b'"index_key"')


def _at(workspace: Workspace) -> str:
    return f"/api/v1/workspaces/{workspace.pk}/state-versions"


def _post(api: APIClient, workspace: Workspace, content: bytes) -> Any:
    return api.post(_at(workspace), content, content_type="application/json")


def _ask(api: APIClient, workspace: Workspace, part: str, size: int) -> Any:
    with _measured(part or "list", size):
        answer = api.get(_at(workspace) + part)
    assert answer.status_code == 200
    return answer.json()
