"""What only a person can judge is never ended without saying why: on a page, in the admin and in the API alike."""

import pytest
from rest_framework.test import APIClient

from agents.verbs import VERBS
from iacplatform.base.problems import Problem
from tasks import verbs
from tasks.models import Task
from tests.recovery import cells
from tests.tasks import factories
from workspaces.models import StateLock

pytestmark = pytest.mark.django_db(transaction=True)

NEEDING = pytest.mark.parametrize("verb", ["mark-failed", "release-lock"])


def lost_and_locked() -> Task:
    """Return a lost apply whose orphaned lock stands in its way, so that both verbs are possible."""
    task = factories.needing_attention()
    cells.state_by_its_own_lost_run(task)
    return task


@NEEDING
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \n"}], ids=str)
def test_the_api_refuses_an_empty_one_in_a_sentence(api: APIClient, verb: str, body: dict[str, str]) -> None:
    task = lost_and_locked()
    answer = api.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/{verb}", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["errors"]["reason"] == ["Say why: the reason must not be empty."]
    assert factories.reread(task).status == "needs_attention" and StateLock.objects.exists()


@NEEDING
def test_forms_refuse_it_in_the_same_words(verb: str) -> None:
    with pytest.raises(Problem, match="Say why: the reason must not be empty"):
        verbs.ask_by_form(VERBS, verb, lost_and_locked(), factories.person(), {"reason": " "})


@NEEDING
def test_where_there_is_nothing_to_end_that_is_said_first(verb: str) -> None:
    with pytest.raises(Problem) as refused:
        verbs.ask(VERBS, verb, factories.planning(), factories.person(), {})
    assert refused.value.status == 409
