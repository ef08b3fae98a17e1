"""A task's log over HTTP: exact bytes, in pieces, to follow until it is complete."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tasks import logs
from tasks.models import Task
from tests.tasks import factories

pytestmark = pytest.mark.django_db

ODD = "Grüße ✓\r\n".encode() + bytes(range(256))


def log(api: APIClient, task: Task, **query: Any) -> Any:
    return api.get(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/log", query)


def test_the_bytes_are_those_that_the_agent_sent(api: APIClient) -> None:
    task = factories.planning()
    factories.say(task, ODD, b"second", ODD)
    answer = log(api, task, phase="plan")
    assert answer.content == ODD + b"second" + ODD
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert (answer["X-Log-Offset"], answer["X-Log-Complete"]) == (str(len(answer.content)), "false")


@pytest.mark.parametrize("offset", [0, 1, 4, 5, 6, 9, 10, 11])
def test_a_log_goes_on_from_any_offset(api: APIClient, offset: int) -> None:
    task = factories.planning()
    factories.say(task, b"01234", b"56789")
    answer = log(api, task, phase="plan", offset=offset)
    assert answer.content == b"0123456789"[offset:]
    assert answer["X-Log-Offset"] == "10"


def test_a_long_log_comes_in_pieces(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bytes(number % 251 for number in range(3_000_000))
    task = factories.planning()
    factories.say(task, *(whole[start : start + 60_000] for start in range(0, len(whole), 60_000)))
    pieces: list[bytes] = []
    offset = "0"
    while not pieces or pieces[-1]:
        answer = log(api, task, phase="plan", offset=offset)
        pieces.append(answer.content)
        offset = answer["X-Log-Offset"]
    assert b"".join(pieces) == whole
    assert max(map(len, pieces)) <= logs.MOST_BYTES


def test_of_a_very_long_log_any_offset_is_as_near(api: APIClient) -> None:
    """A hundred megabytes from an offset on: what is read are the pieces that hold the answer, and no others."""
    task = factories.planning()
    factories.say(task, *(b"%07d\n" % number * 1000 for number in range(300)))
    for offset in (0, 1_200_003, 2_399_992, 2_400_000):
        with CaptureQueriesContext(connection) as queries:
            piece = logs.read(task, phase="plan", offset=offset, most=16)
        assert len(queries) <= 3
        assert piece.data == (b"%07d\n" % (offset // 8000) * 3)[offset % 8 :][: min(16, 2_400_000 - offset)]


def test_a_log_is_complete_when_all_that_was_announced_is_stored(api: APIClient) -> None:
    task = factories.planning()
    factories.say(task, b"half")
    ended = factories.finish(task, "failed", exit_code=1, log_bytes=8)
    assert log(api, ended, phase="plan")["X-Log-Complete"] == "false"
    factories.say(ended, b"rest")
    answer = log(api, ended, phase="plan")
    assert (answer.content, answer["X-Log-Complete"]) == (b"halfrest", "true")


def test_a_piece_that_is_not_the_last_is_not_complete(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    task = factories.planning()
    factories.say(task, b"0123456789")
    factories.finish(task, "failed", exit_code=1, log_bytes=10)
    first = logs.read(task, phase="plan", most=4)
    assert (first.data, first.next_offset, first.is_complete) == (b"0123", 4, False)
    last = logs.read(task, phase="plan", offset=8, most=4)
    assert (last.data, last.is_complete) == (b"89", True)


def test_the_newest_attempt_is_shown_unless_another_is_named(api: APIClient) -> None:
    task = factories.planning()
    factories.say(task, b"first try")
    factories.finish(task, "killed", exit_code=-9)
    second = factories.running(task)
    factories.say(second, b"second try")
    newest = log(api, task, phase="plan")
    assert (newest.content, newest["X-Log-Attempt"]) == (b"second try", "2")
    older = log(api, task, phase="plan", attempt=1)
    assert (older.content, older["X-Log-Attempt"], older["X-Log-Complete"]) == (b"first try", "1", "true")


def test_an_offer_that_nobody_accepted_does_not_hide_a_log(api: APIClient) -> None:
    task = factories.planning()
    factories.say(task, b"first try")
    factories.finish(task, "killed", exit_code=-9)
    factories.offered(task)
    assert log(api, task, phase="plan").content == b"first try"


def test_each_phase_has_its_own_log(api: APIClient) -> None:
    task = factories.planning()
    factories.say(task, b"the plan")
    applying = factories.running(factories.confirm(factories.planned(task)))
    factories.say(applying, b"the apply")
    assert log(api, task, phase="plan").content == b"the plan"
    assert log(api, task, phase="apply").content == b"the apply"
    assert log(api, task).content == b"the apply"


def test_a_phase_that_never_ran_has_an_empty_log(api: APIClient) -> None:
    waiting = log(api, factories.pending(), phase="apply")
    assert (waiting.status_code, waiting.content, waiting["X-Log-Complete"]) == (200, b"", "false")
    assert log(api, factories.discarded(), phase="apply")["X-Log-Complete"] == "true"


@pytest.mark.parametrize(
    "query",
    [
        {"phase": "destroy"},
        {"offset": "-1"},
        {"offset": "x"},
        {"offset": "1.5"},
        {"offset": "9" * 20},
        {"offset": "9" * 5000},
        {"attempt": "0"},
        {"attempt": "9" * 12},
        {"attempt": "one"},
    ],
    ids=str,
)
def test_a_wrong_question_is_refused_by_field(api: APIClient, query: dict[str, str]) -> None:
    answer = log(api, factories.planning(), **query)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == set(query)


def test_who_asks_for_plain_text_gets_it_and_problems_as_json(api: APIClient) -> None:
    task = factories.planning()
    address = f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/log"
    assert api.get(address, headers={"accept": "text/plain"}).status_code == 200
    refused = api.get(address, {"phase": "x"}, headers={"accept": "text/plain"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
