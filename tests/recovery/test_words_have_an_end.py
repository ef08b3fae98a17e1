"""What people write beside a button is bounded on the pages and in the admin as in the API."""

import pytest
from django.test import Client

from iacplatform.base.problems import Invalid
from tasks import verbs
from tests import factories as rows
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("name", "field"), [("mark-failed", "reason"), ("cancel", "reason")])
def test_more_than_a_text_of_2000_characters_is_refused_and_moves_nothing(name: str, field: str) -> None:
    task = factories.needing_attention()
    with pytest.raises(Invalid, match="2,000 characters"):
        verbs.ask(verbs.VERBS, name, task, rows.admin(), {field: "x" * 2001})
    assert factories.reread(task).status == "needs_attention"


@pytest.mark.parametrize("reason", ["x" * 2001, "a\0b"])
def test_the_page_says_it_in_words(client: Client, reason: str) -> None:
    task = factories.needing_attention()
    client.force_login(rows.admin())
    address = f"/workspaces/{task.workspace_id}/tasks/{task.pk}/mark-failed"
    assert client.post(address, {"reason": reason}).status_code == 400
    assert factories.reread(task).status == "needs_attention"
