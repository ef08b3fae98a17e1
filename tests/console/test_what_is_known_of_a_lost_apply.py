"""A task that needs attention shows what is known before anybody decides; what came late is shown afterwards too."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from agents import reports
from agents.models import Agent
from iacplatform.base import clock, encryption
from tasks.models import Task
from tests.console import pages
from tests.evidence import people
from tests.evidence.words import finished, session_of
from tests.tasks import factories
from workspaces.models import StateLock, StateVersion

PANEL = 'id="known"'


@pytest.fixture
def lost(db: None) -> Task:
    """A task whose agent was lost seven minutes ago, in mid-apply, with the state locked."""
    task = factories.applying(on=factories.agent("ada", connected=True))
    held = {"holder": f"task:{task.pk}", "task_id": task.pk, "epoch": task.epoch, "phase": "apply"}
    StateLock.objects.create(workspace=task.workspace, lock_id="9f1c", info={}, agent_id=task.agent_id, **held)
    factories.say(task, b'record.a["www"]: Creation complete after 2s\n', b'record.a["mail"]: Creating...\n')
    clock.shift(timedelta(minutes=7))
    Agent.objects.update(lease_until=clock.now())
    return factories.lose(task)


def test_it_shows_what_is_known_and_who_holds_the_lock(console: Client, lost: Task) -> None:
    page = console.get(pages.address(lost))
    text = pages.text(page)
    assert "What is known" in text
    for words in (
        "Last heartbeat 7 min ago",
        'Last line of its log record.a["mail"]: Creating...',
        "State There is none yet.",
        '1 resource, by the log. The state does not tell of it: record.a["www"] create',
        "State lock Orphaned for 7 min",
        "Kept aside Nothing came in late.",
    ):
        assert words in text
    assert 'data-holder="orphaned"' in page.content.decode()
    assert pages.actions(page, lost) == {"mark-failed", "retry", "release-lock"}


def test_a_holder_that_lives_is_named_and_its_lock_not_offered_to_be_released(console: Client, lost: Task) -> None:
    Agent.objects.update(lease_until=clock.now() + timedelta(seconds=45), last_seen_at=clock.now())
    page = console.get(pages.address(lost))
    assert 'data-holder="unknown"' in page.content.decode()
    assert "release-lock" not in pages.actions(page, lost)


def test_the_lock_alone_can_be_released(console: Client, lost: Task) -> None:
    answer = pages.press(console, lost, "release-lock", reason="the host is gone")
    page = pages.text(console.get(answer["Location"]))
    assert "The state lock is released." in page
    assert "State lock The state is not locked." in page


def test_what_came_late_is_shown_after_the_decision_too(console: Client, lost: Task) -> None:
    ada = Agent.objects.get(name="ada")
    people.mark_failed(lost)
    reports.handle(session_of(ada), finished(lost, "failed", exit_code=1))
    page = console.get(pages.address(lost))
    assert "What came in late" in pages.text(page)
    assert 'data-evidence="result"' in page.content.decode()
    assert "exit status 1" in pages.text(page)


@pytest.mark.parametrize("make", [factories.applying, factories.failed, factories.awaiting_confirmation])
def test_there_is_no_panel_where_nothing_was_lost(console: Client, make: type) -> None:
    page = console.get(pages.address(make())).content.decode()
    assert f'<section class="card gone" {PANEL}' in page


def test_a_state_whose_key_is_missing_hides_neither_the_task_nor_its_buttons(
    console: Client, lost: Task, settings: Settings
) -> None:
    content = encryption.seal(b"{}", StateVersion.owner(lost.workspace_id))
    names = {"serial": 1, "lineage": "lineage-1", "digest": "0" * 64, "size": 2, "created_by": f"task:{lost.pk}"}
    StateVersion.objects.create(workspace=lost.workspace, task_id=lost.pk, sealed_content=content, **names)
    settings.ENCRYPTION_KEYS = f"other:{'2' * 64}"
    page = console.get(pages.address(lost))
    assert page.status_code == 200
    assert "A stored value cannot be opened." in pages.text(page)
    assert "mark-failed" in pages.actions(page, lost)
