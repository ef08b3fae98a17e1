"""A refusal names what this person can do instead, by the names of the buttons that they have at this moment."""

import pytest
from rest_framework.test import APIClient

from agents.verbs import VERBS
from iacplatform.base.problems import Problem
from tasks import verbs
from tests import factories as rows
from tests.recovery import cells
from tests.recovery.test_what_is_offered_is_what_works import BY_HAND
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("made", cells.TASKS)
def test_a_refusal_names_exactly_what_is_offered(api: APIClient, made: str) -> None:
    task = cells.TASKS[made]()
    offered = api.get(f"/api/v1/tasks/{task.pk}").json()["actions"]
    instead = f"Possible now: {', '.join(offered)}." if offered else "Make a new task for what is still to be done."
    for verb in BY_HAND:
        if verb not in offered:
            answer = api.post(f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/{verb}", {}, format="json")
            named = answer.json().get("code") in {"illegal_move", "not_retryable"}
            assert not named or answer.json()["detail"].endswith(instead)


def test_who_may_do_nothing_is_told_to_ask_somebody() -> None:
    task = factories.planning()
    with pytest.raises(Problem, match=r"Ask somebody who has more rights\.$"):
        verbs.ask(VERBS, "discard", task, rows.person("tasks.confirm_task"), {})
