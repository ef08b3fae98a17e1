"""Whoever confirmed a plan that was made anew is told so: their word does not count for a plan that they have not read."""

import pytest

from tasks import remedies
from tasks.reasons import Code
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def test_a_plan_made_anew_says_that_no_earlier_confirmation_counts() -> None:
    task = factories.stale()
    remedies.retry(task, by=factories.person("ann"))
    again = factories.awaiting_confirmation(factories.planning(task=factories.reread(task)))
    assert again.reason_code == Code.AWAITING_CONFIRMATION
    assert again.wait_reason is not None
    assert (
        "as nothing could apply the one before any more; no earlier confirmation counts for it."
        in again.wait_reason["message"]
    )


def test_a_first_plan_says_nothing_of_the_kind() -> None:
    task = factories.awaiting_confirmation()
    assert task.wait_reason is not None
    assert task.wait_reason["message"].startswith("The plan is made (")
