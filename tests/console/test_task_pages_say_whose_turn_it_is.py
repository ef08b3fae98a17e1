"""What a task's page shows in each status: the sentence first, and exactly the buttons that are legal and permitted."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from agents import dispatcher
from agents.models import Agent
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from iacplatform.console import stages
from pools.models import Pool
from tasks import actions
from tasks.models import Task
from tests import factories as rows
from tests.console import pages
from tests.console.conftest import browser
from tests.tasks import factories
from workspaces import locks

SENTENCES: dict[Callable[[], Task], str] = {
    factories.pending: "The platform's turn",
    factories.planning: "It runs: the agent prepares its folder.",
    factories.awaiting_confirmation: "Your turn: the plan is made (1 to add).",
    factories.confirmed: "The platform's turn",
    factories.applying: "It runs:",
    factories.needing_attention: "Your turn: the agent is gone.",
    factories.backing_off: "It waits for its time",
    factories.stale: "Your turn: the plan is made (1 to add).",
    factories.cancelling: "It runs: the engine was asked to stop.",
    factories.succeeded: "Done: the plan is made, and nothing is to be applied.",
    factories.applied: "Applied: 1 added, 0 changed, 0 destroyed.",
    factories.failed: "Failed: the engine said no. Error: Invalid block",
    factories.discarded: "Discarded: the plan was not applied.",
    factories.cancelled: "Cancelled.",
}


@pytest.mark.parametrize("make", SENTENCES, ids=lambda make: make.__name__)
def test_the_page_begins_with_the_sentence_and_offers_exactly_the_open_actions(
    console: Client, make: Callable[[], Task]
) -> None:
    task = make()
    page = console.get(pages.address(task))
    assert page.status_code == 200
    assert SENTENCES[make] in pages.text(page)
    assert pages.actions(page, task) == set(actions.open_to(task, factories.person("ann")))


@pytest.mark.django_db
def test_a_person_without_the_permission_sees_the_task_and_no_button() -> None:
    task = factories.awaiting_confirmation()
    page = browser(rows.person("tasks.view_task")).get(pages.address(task))
    assert "A person's turn: the plan is made" in pages.text(page)
    assert pages.actions(page, task) == set()


def test_a_stuck_task_says_so_in_an_element_with_its_code_and_its_buttons(console: Client) -> None:
    task = factories.needing_attention()
    page = console.get(pages.address(task))
    assert "in the middle of the apply" in pages.stuck(page)["agent_lost"]
    assert "Mark as failed" in pages.stuck(page)["agent_lost"]


def test_a_confirmed_task_that_no_agent_takes_is_stuck_and_offers_to_retry_the_apply(console: Client) -> None:
    task = factories.confirmed()
    clock.shift(timedelta(minutes=5))
    Beat.objects.strike(SWEEP)
    page = console.get(pages.address(task))
    message = pages.stuck(page)[factories.reread(task).reason_code]
    assert "Retry apply" in message
    assert "retry" in pages.actions(page, task)


def test_a_task_that_nobody_looks_at_says_so_with_the_reason_before_it(console: Client) -> None:
    task = factories.confirmed()
    clock.shift(timedelta(minutes=5))
    message = pages.stuck(console.get(pages.address(task)))["scheduler_silent"]
    assert "no sweep has looked at it" in message
    assert "Before that: It can run" in message


def test_a_running_task_says_quietly_what_is_not_as_it_should_be(console: Client) -> None:
    task = factories.planning()
    clock.shift(timedelta(minutes=11))
    Beat.objects.strike(SWEEP)
    Agent.objects.update(last_seen_at=clock.now(), lease_until=clock.now() + timedelta(seconds=45))
    for path in (pages.address(task), "/", "/tasks/"):
        page = console.get(path)
        assert 'data-warning="no_output"' in page.content.decode()
        assert "The plan has said nothing for 11 min" in pages.text(page)
    assert pages.stuck(console.get(pages.address(task))) == {}


def test_a_running_task_past_its_deadline_says_that_nobody_looks(console: Client) -> None:
    task = factories.applying()
    clock.shift(timedelta(days=1))
    assert "nobody has looked at it since" in pages.stuck(console.get(pages.address(task)))["scheduler_silent"]


def test_a_kept_slot_is_named_with_its_end(console: Client) -> None:
    task = factories.awaiting_confirmation(on=factories.agent("build-host-3", pod_name="iac-agent-7c1f"))
    page = pages.text(console.get(pages.address(task)))
    assert task.lease_expires_at is not None
    assert "Slot 0 of build-host-3 (pod iac-agent-7c1f ) is kept for it until" in page
    assert f"{task.lease_expires_at:%H:%M} UTC" in page


def test_progress_is_told_in_numbers(console: Client) -> None:
    task = factories.applying()
    Task.objects.filter(pk=task.pk).update(progress_done=23, progress_total=37)
    assert "23 of 37 resources" in pages.text(console.get(pages.address(task)))


def test_a_task_behind_a_lock_offers_to_unlock(console: Client) -> None:
    workspace = factories.workspace()
    locks.lock(workspace, by=factories.person(), reason="moving house")
    task = factories.pending(workspace=workspace)
    page = console.get(pages.address(task))
    assert "locked by user:ann (moving house)" in pages.text(page)
    assert pages.actions(page, task) == {"unlock", "cancel"}


def test_what_it_waits_for_is_a_link_away_and_the_gates_are_listed(console: Client) -> None:
    workspace = factories.workspace()
    first, second = factories.planning(workspace=workspace), factories.pending(workspace=workspace)
    page = console.get(pages.address(second))
    assert f'<a href="{pages.address(first)}">Task {first.pk}</a>' in page.content.decode()
    words = pages.text(page)
    assert "yes The workspace is not locked not yet No earlier task of the workspace comes first Task" in words
    assert "– A slot is free" in words
    assert "Before it may start" not in pages.text(console.get(pages.address(first)))


def test_a_missing_agent_leads_to_the_pool(console: Client) -> None:
    task = factories.pending()
    dispatcher.dispatch(Pool.objects.local().pk, cause="test")
    page = console.get(pages.address(task))
    assert "no agent of pool local is connected" in pages.text(page)
    assert f'<a href="/pools/{Pool.objects.local().pk}">The pool</a>' in page.content.decode()


def test_every_move_is_listed_with_its_actor(console: Client) -> None:
    page = pages.text(console.get(pages.address(factories.applied())))
    for words in ("awaits confirmation → confirmed.", "running → applied.", "Created. user:ann", "Permitted to apply"):
        assert words in page


def test_a_task_of_another_workspace_or_that_may_not_be_seen_is_404(console: Client) -> None:
    task = factories.pending()
    assert console.get(f"/workspaces/{rows.workspace().pk}/tasks/{task.pk}").status_code == 404
    stranger = browser(rows.person())
    for verb in ("", "live", "log/plan"):
        answer = stranger.get(pages.address(task, verb))
        assert (answer.status_code, "There is nothing here" in pages.text(answer)) == (404, True)


WAYS: dict[Callable[[], Task], list[tuple[str, str]]] = {
    factories.planning: [
        ("Created", "done"),
        ("Queue", "done"),
        ("Plan", "now"),
        ("Confirm", ""),
        ("Apply", ""),
        ("Done", ""),
    ],
    factories.failed: [
        ("Created", "done"),
        ("Queue", "done"),
        ("Plan", "broken"),
        ("Confirm", ""),
        ("Apply", ""),
        ("Done", "broken"),
    ],
    factories.applied: [(name, "done") for name in ("Created", "Queue", "Plan", "Confirm", "Apply", "Done")],
    factories.succeeded: [(name, "done") for name in ("Created", "Queue", "Plan", "Done")],
    factories.cancelled: [
        ("Created", "done"),
        ("Queue", ""),
        ("Plan", ""),
        ("Confirm", ""),
        ("Apply", ""),
        ("Done", "left"),
    ],
}


@pytest.mark.django_db
@pytest.mark.parametrize("make", WAYS, ids=lambda make: make.__name__)
def test_the_way_is_marked_as_far_as_it_came(make: Callable[[], Task]) -> None:
    task = make()
    way = stages.of(task, list(task.attempts.order_by("epoch")), clock.now())
    assert [(stretch.name, stretch.mark) for stretch in way] == WAYS[make]
