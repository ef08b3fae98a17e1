"""Every error of the API is an RFC 9457 problem with a code and a sentence; none of them is a 500 by what was sent."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import connection, transaction
from rest_framework.test import APIClient

from iacplatform.base import encryption
from tests import factories
from workspaces import states
from workspaces.models import Workspace
from workspaces.state_api import person

WORKSPACES = "/api/v1/workspaces"
MEMBERS = {"type", "title", "status", "detail", "code"}


def check(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem that the answer holds."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert body.keys() >= MEMBERS and (body["status"], body["code"]) == (status, code), body
    return body


def test_without_credentials_the_answer_names_the_scheme(client: Any, db: Any) -> None:
    answer = client.get(WORKSPACES)
    check(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "credentials", ["Bearer nonsense", "Bearer", "Bearer a b", "Bearer \xff\xfe", "Bearer " + "a" * 64]
)
def test_a_wrong_token_is_401(db: Any, credentials: str) -> None:
    check(APIClient().get(WORKSPACES, HTTP_AUTHORIZATION=credentials), 401, "authentication_failed")


def test_a_field_fault_stands_under_its_field(api: APIClient) -> None:
    body = check(api.post(WORKSPACES, {"name": "-x"}, format="json"), 400, "invalid")
    assert list(body["errors"]) == ["name"] and all(isinstance(text, str) for text in body["errors"]["name"])
    assert body["errors"]["name"][0] in body["detail"]


@pytest.mark.parametrize("verb", ["unlock", "state-versions/1/rollback"])
def test_a_verb_without_fields_takes_none(api: APIClient, workspace: Workspace, verb: str) -> None:
    states.store(workspace.pk, factories.state(1), person(factories.admin("bob"), workspace.pk))
    answer = api.post(f"{WORKSPACES}/{workspace.pk}/{verb}", {"force": True}, format="json")
    assert check(answer, 400, "invalid")["errors"] == {"force": ["There is no field force. None is known here."]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"name": "\\u0000"}',
        b'{"name": "web", "description": "a\\u0000b"}',
        b'{"name": "web", "description": "\\ud800"}',
        b'{"name": NaN}',
        b'{"name": "web", "plan_timeout_seconds": 1e400}',
        b'{"name": "web", "plan_timeout_seconds": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"name": {"name": {}}}',
        b'{"name": [], "pool_id": [[]], "auto_apply": {}}',
    ],
)
def test_a_body_that_makes_no_sense_is_400(api: APIClient, body: bytes) -> None:
    answer = api.post(WORKSPACES, body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json" and answer.json()["detail"]


def test_another_media_type_is_415(api: APIClient) -> None:
    check(
        api.post(WORKSPACES, "name=web", content_type="application/x-www-form-urlencoded"),
        415,
        "unsupported_media_type",
    )


@pytest.mark.parametrize("charset", ["bz2", "utf-16", "nonsense"])
def test_another_charset_opens_nothing(api: APIClient, charset: str) -> None:
    answer = api.post(WORKSPACES, b'{"name": "x y"}', content_type=f"application/json; charset={charset}")
    assert answer.status_code == 400


def test_another_method_is_405(api: APIClient, workspace: Workspace) -> None:
    check(api.put(f"{WORKSPACES}/{workspace.pk}", {}, format="json"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/", "/api/v1/workspaces/ws-none", "/api/v1/workspaces/%00", "/agents/v1/no"]
)
def test_an_address_of_nothing_is_a_problem(api: APIClient, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code in {400, 404} and answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=two",
        "page=9999999999999999999999999",
        "page=2",
        "page_size=0",
        "page_size=201",
        "page_size=99999999999999999999999",
        "page_size=x",
        "page_size=%00",
        "name=%00",
        "execution_mode=moon",
    ],
)
def test_an_odd_query_is_400_or_404(api: APIClient, workspace: Workspace, query: str) -> None:
    assert api.get(f"{WORKSPACES}?{query}").status_code in {400, 404}


def test_a_body_above_the_limit_is_413(api: APIClient) -> None:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    frame = len(b'{"name": "web", "description": ""}')
    for size, status in ((limit - 1, 400), (limit, 400), (limit + 1, 413), (10 * limit, 413)):
        body = b'{"name": "web", "description": "' + b"a" * (size - frame) + b'"}'
        assert len(body) == size
        answer = api.post(WORKSPACES, body, content_type="application/json")
        assert answer.status_code == status, (size, answer.content[:200])
    check(answer, 413, "too_large")


def test_a_refusal_by_a_trigger_is_its_own_sentence(api: APIClient) -> None:
    pool = factories.k8s_pool()
    with patch("workspaces.models.workspace.pool_fault", return_value=""):  # as if another entrance forgot to ask
        answer = api.post(WORKSPACES, {"name": "web", "pool_id": pool.pk}, format="json")
    assert "does not fit pool" in check(answer, 409, "refused")["detail"]


def test_what_is_needed_is_409_in_use(api: APIClient) -> None:
    config = factories.k8s_config()
    factories.k8s_pool(name="red", k8s_config=config)
    assert "pool red" in check(api.delete(f"/api/v1/k8s-configs/{config.pk}"), 409, "in_use")["detail"]


def test_a_lock_that_is_not_had_in_time_is_503(api: APIClient, workspace: Workspace) -> None:
    with patch("workspaces.locks.lock", side_effect=_cancelled):
        answer = api.post(f"{WORKSPACES}/{workspace.pk}/lock", {}, format="json")
    check(answer, 503, "try_again")
    assert int(answer["Retry-After"]) >= 1


def _cancelled(*args: Any, **kwargs: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 1")
        cursor.execute("SELECT pg_sleep(1)")  # ended by the database after a millisecond


def test_a_fault_of_ours_says_nothing_of_its_inside(
    api: APIClient, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    with patch("workspaces.locks.lock", side_effect=RuntimeError("the secret is hunter2")):
        answer = api.post(f"{WORKSPACES}/{workspace.pk}/lock", {}, format="json")
    check(answer, 500, "internal_error")
    assert b"hunter2" not in answer.content and b"RuntimeError" not in answer.content
    assert any(record.exc_info for record in caplog.records)


def test_a_row_that_went_between_looking_and_acting_is_404(api: APIClient, workspace: Workspace) -> None:
    with patch("workspaces.locks.lock", side_effect=Workspace.DoesNotExist):
        answer = api.post(f"{WORKSPACES}/{workspace.pk}/lock", {}, format="json")
    check(answer, 404, "not_found")


def test_a_companion_that_is_missing_is_a_fault_of_ours(api: APIClient, workspace: Workspace) -> None:
    with patch("workspaces.locks.lock", side_effect=Workspace.state_lock.RelatedObjectDoesNotExist):
        answer = api.post(f"{WORKSPACES}/{workspace.pk}/lock", {}, format="json")
    check(answer, 500, "internal_error")


def test_a_value_whose_key_is_missing_names_the_key(api: APIClient, workspace: Workspace) -> None:
    missing = encryption.Unreadable("No key 'old' is configured; add it to IACPLATFORM_ENCRYPTION_KEYS.")
    with patch("workspaces.locks.lock", side_effect=missing):
        answer = api.post(f"{WORKSPACES}/{workspace.pk}/lock", {}, format="json")
    assert "No key 'old' is configured" in check(answer, 500, "value_unreadable")["detail"]
