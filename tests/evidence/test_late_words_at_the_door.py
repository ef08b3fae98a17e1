"""An agent that is let in no more brings the evidence by its attempt's own token."""

from typing import Any

import pytest
from django.test import Client

from agents import protocol
from agents.models import Agent
from agents.protocol import AskPermit, Progress
from tasks.models import LateResult, Task
from tests.evidence.words import attempt_of, finished, log, log_of, names

pytestmark = pytest.mark.django_db(transaction=True)


def say(task: Task, word: Any) -> Any:
    """Return the answer to a word that comes with the token of the attempt that this row of the task had."""
    headers = {"Authorization": f"Bearer {attempt_of(task).token}"}
    return Client().post("/agents/v1/attempt/words", protocol.dump(word), "application/json", headers=headers)


def test_the_rest_of_its_log_is_stored(given_up: Task) -> None:
    answer = say(given_up, log(given_up, 0, b"one\n"))
    assert (answer.status_code, answer.json()[0]) == (200, {"type": "log_stored", **names(given_up), "offset": 4})
    assert log_of(attempt_of(given_up)) == b"one\n"


def test_its_result_is_kept(given_up: Task) -> None:
    assert say(given_up, finished(given_up)).json() == [{"type": "received", **names(given_up)}]
    assert LateResult.objects.get().outcome == "applied"


def test_it_is_kept_when_the_agent_was_deleted(given_up: Task) -> None:
    Agent.objects.all().delete()
    assert say(given_up, finished(given_up)).status_code == 200
    assert LateResult.objects.exists()


@pytest.mark.parametrize("word", [AskPermit, Progress])
def test_nothing_else_is_heard_of_it(given_up: Task, word: Any) -> None:
    members = {"stage": "applying"} if word is Progress else {}
    answer = say(given_up, word(**names(given_up), **members))
    assert (answer.status_code, answer.json()["code"]) == (410, "attempt_closed")
