"""Every button is a form that calls the domain's verb; a refusal is said on the page, and what was typed stays."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tasks.models import Task
from tasks.states import Status
from tests import factories as rows
from tests.console import pages
from tests.console.conftest import browser
from tests.tasks import factories
from workspaces import locks


def test_confirm_applies_the_plan_that_was_read(console: Client, ann: User) -> None:
    task = factories.awaiting_confirmation()
    answer = pages.press(console, task, "confirm-apply", apply_description="window at noon")
    assert (answer.status_code, answer["Location"]) == (303, pages.address(task))
    seen = factories.reread(task)
    assert (seen.status, seen.confirmed_by, seen.apply_description) == (Status.CONFIRMED, ann, "window at noon")
    assert "The plan is confirmed." in pages.text(console.get(answer["Location"]))


def test_a_second_click_confirms_nothing_new(console: Client) -> None:
    task = factories.awaiting_confirmation()
    fields = pages.forms(console.get(pages.address(task)))[pages.address(task, "confirm-apply")]
    for sentence in ("The plan is confirmed.", "This plan was confirmed before, by user:ann at"):
        answer = console.post(pages.address(task, "confirm-apply"), fields, follow=True)
        assert sentence in pages.text(answer)
    assert task.events.filter(event="confirm").count() == 1


def test_a_late_click_cannot_confirm_a_plan_that_nobody_read(console: Client) -> None:
    task = factories.awaiting_confirmation()
    old = pages.forms(console.get(pages.address(task)))[pages.address(task, "confirm-apply")]
    factories.store_state(task.workspace_id)
    console.post(pages.address(task, "retry"))
    factories.awaiting_confirmation(factories.running(factories.reread(task)))
    answer = console.post(pages.address(task, "confirm-apply"), {**old, "apply_description": "as agreed"})
    assert answer.status_code == 409
    assert "has another plan now" in pages.text(answer)
    assert 'value="as agreed"' in answer.content.decode()
    assert factories.reread(task).status == Status.APPLY_PENDING


def test_a_confirmation_that_names_no_plan_is_refused(console: Client) -> None:
    task = factories.awaiting_confirmation()
    answer = console.post(pages.address(task, "confirm-apply"))
    assert answer.status_code == 400
    assert "does not say which plan it confirms" in pages.text(answer)


def test_a_stale_plan_is_refused_in_words(console: Client) -> None:
    task = factories.stale()
    digest = {"plan_digest": task.plan_digest}
    answer = console.post(pages.address(task, "confirm-apply"), digest)
    assert answer.status_code == 409
    assert "The state has changed since task" in pages.text(answer)


@pytest.mark.parametrize(("verb", "status"), [("discard", Status.DISCARDED), ("cancel", Status.CANCELLED)])
def test_a_plan_can_be_left_unapplied(console: Client, verb: str, status: Status) -> None:
    task = factories.awaiting_confirmation()
    pages.press(console, task, verb)
    assert factories.reread(task).status == status


def test_a_running_engine_is_asked_to_stop_and_then_not_waited_for(console: Client) -> None:
    task = factories.planning()
    pages.press(console, task, "cancel")
    assert factories.reread(task).stage == "cancelling"
    pages.press(console, task, "force-cancel")
    assert factories.reread(task).status == Status.CANCELLED


def test_retry_of_a_failed_task_leads_to_the_new_one(console: Client) -> None:
    task = factories.failed()
    answer = pages.press(console, task, "retry")
    new = Task.objects.latest("pk")
    assert new.pk != task.pk
    assert answer["Location"] == pages.address(new)
    assert f"it follows task {task.pk}" in pages.text(console.get(answer["Location"]))


def test_retry_of_a_confirmed_task_looks_for_a_slot_again(console: Client) -> None:
    task = factories.confirmed()
    answer = pages.press(console, task, "retry")
    assert answer["Location"] == pages.address(task)
    assert "A slot was looked for again." in pages.text(console.get(answer["Location"]))


def test_marking_as_failed_needs_a_reason(console: Client) -> None:
    task = factories.needing_attention()
    answer = console.post(pages.address(task, "mark-failed"), {"reason": " "})
    assert (answer.status_code, factories.reread(task).status) == (400, Status.NEEDS_ATTENTION)
    assert "Say why" in pages.text(answer)
    pages.press(console, task, "mark-failed", reason="looked at it")
    assert factories.reread(task).error_message == "looked at it"


def test_the_workspace_of_a_waiting_task_is_unlocked_from_its_page(console: Client) -> None:
    workspace = factories.workspace()
    locks.lock(workspace, by=factories.person(), reason="moving house")
    task = factories.pending(workspace=workspace)
    pages.press(console, task, "unlock")
    workspace.refresh_from_db()
    assert not workspace.is_locked


def test_a_lock_whose_holder_may_live_is_not_released(console: Client) -> None:
    task = factories.pending()
    answer = console.post(pages.address(task, "release-lock"), {"reason": "it is dead"})
    assert answer.status_code == 409
    assert "is not locked" in pages.text(answer)


def test_what_the_table_forbids_is_409_in_words(console: Client) -> None:
    task = factories.applied()
    answer = console.post(pages.address(task, "discard"))
    assert answer.status_code == 409
    assert "discard is not possible there" in pages.text(answer)


def test_a_verb_needs_its_permission(ann: User) -> None:
    task = factories.awaiting_confirmation()
    answer = browser(rows.person("tasks.view_task")).post(
        pages.address(task, "confirm-apply"), {"plan_digest": task.plan_digest}
    )
    assert answer.status_code == 403
    assert "You need the permission tasks.confirm_task" in pages.text(answer)
    assert factories.reread(task).status == Status.APPLY_PENDING


def test_a_form_without_its_token_is_refused(ann: User) -> None:
    task = factories.awaiting_confirmation()
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(ann)
    answer = careful.post(pages.address(task, "discard"))
    assert (answer.status_code, factories.reread(task).status) == (403, Status.APPLY_PENDING)
    assert "This form is no longer valid." in pages.text(answer)


def test_verbs_are_posted_and_unknown_ones_are_404(console: Client) -> None:
    task = factories.awaiting_confirmation()
    assert console.get(pages.address(task, "discard")).status_code == 405
    assert console.post(pages.address(task, "explode")).status_code == 404
