"""Beside every button stands what it will do, in the words that fit where the task stands."""

from collections.abc import Callable

import pytest
from django.test import Client

from iacplatform.console import buttons
from tasks import actions
from tasks.models import Task
from tests.console import pages
from tests.tasks import factories
from tests.tasks.cells import AT, cancelled_before_its_end

WORDS: list[tuple[Callable[[], Task], str, str]] = [
    (factories.pending, "retry", "Looks for a slot again, now, without the rest of a pause."),
    (factories.confirmed, "retry", "The confirmed plan stays the one that is applied."),
    (factories.misfit, "retry", "The confirmed plan stays the one that is applied."),
    (factories.out_of_reach, "retry", "Makes a new plan in this task; it needs a new confirmation."),
    (factories.stale, "retry", "Makes a new plan in this task; it needs a new confirmation."),
    (factories.failed, "retry", "Begins a new task of the same kind"),
    (factories.needing_attention, "retry", "Marks this one as failed, lets go of its locks, and makes a new plan"),
    (factories.needing_attention, "mark-failed", "It undoes nothing."),
    (factories.awaiting_confirmation, "confirm-apply", "Applies exactly this plan, once."),
    (factories.awaiting_confirmation, "cancel", "Ends it at once: nothing of it runs."),
    (factories.planning, "cancel", "A plan changes nothing."),
    (factories.applying, "cancel", "What it has applied until then stays."),
    (factories.cancelling, "force-cancel", "Its engine may go on for a while; its plan is not used."),
    (cancelled_before_its_end(factories.applying), "force-cancel", "it needs attention then."),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("make", "action", "words"), WORDS)
def test_the_sentence_fits_where_the_task_stands(make: Callable[[], Task], action: str, words: str) -> None:
    shown = {button.action: button for button in buttons.of(make(), [action])}
    assert words in shown[action].does


@pytest.mark.parametrize("make", AT.values(), ids=lambda make: make.__name__)
def test_every_button_on_the_page_is_described(console: Client, make: Callable[[], Task]) -> None:
    task = make()
    page = console.get(pages.address(task))
    for action in actions.open_to(task, factories.person("ann")):
        assert f'aria-describedby="does-{action}"' in page.content.decode()
        assert f'<p class="does" id="does-{action}">' in page.content.decode()


def test_every_verb_has_its_button() -> None:
    assert {each.name for each in actions.ACTIONS} == set(buttons.ORDER)
