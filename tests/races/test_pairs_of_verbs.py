"""People's verbs against each other and against an agent's result, in every order of their statements and commits.

Each test names the outcomes that are right. Any other one, and one of them that no order leads to, fails it.
"""

from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User

from tasks import cancellation, confirmation, dispatching, follow_ups, recovery, remedies, results
from tasks.models import Task
from tasks.results import Result
from tasks.states import Event, Lease, Status
from tests.races.pairs import BadOrder, every_order, word
from tests.races.racing import without_row_locks
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

APPLIED = Result(outcome="applied", exit_code=0, seconds=1.5, log_bytes=0)


def events(task: Task, *kinds: Event) -> tuple[str, ...]:
    return tuple(task.events.filter(event__in=kinds).values_list("event", flat=True))


def confirm(task: Task, by: User) -> bool:
    """Confirm as every entrance does: who comes second has a slot looked for again."""
    is_new = confirmation.confirm(deepcopy(task), by=by)
    if not is_new:
        dispatching.ask_again(task)
    return is_new


def cancel(task: Task, by: User) -> None:
    cancellation.cancel(deepcopy(task), by=by)


def plan_ends(task: Task) -> None:
    factories.planned(deepcopy(task))


def apply_ends(task: Task) -> None:
    results.finish(task.pk, task.epoch, task.agent_id, APPLIED, reservation_seconds=0)


# confirm x confirm --------------------------------------------------------------------------------------------------


def test_confirm_and_confirm_are_one_confirmation_and_one_offer() -> None:
    task = factories.awaiting_confirmation(on=factories.agent(connected=True))

    def outcome(ann: Any, bob: Any) -> Any:
        now = factories.reread(task)
        return ann, bob, str(now.confirmed_by), now.lease, events(task, Event.CONFIRM), events(task, Event.OFFERED)[1:]

    found = every_order(
        outcome,
        ann=partial(confirm, task, factories.person("ann")),
        bob=partial(confirm, task, factories.person("bob")),
    )

    once = (Lease.OFFERED, (Event.CONFIRM,), (Event.OFFERED,))
    found.demand((True, False, "ann", *once), (False, True, "bob", *once))


def test_without_row_locks_an_order_is_found_in_which_nobody_looks_for_a_slot() -> None:
    task = factories.awaiting_confirmation(on=factories.agent(connected=True))
    ann, bob = factories.person("ann"), factories.person("bob")
    with without_row_locks(), pytest.raises(BadOrder, match="nobody looks before the next sweep"):
        every_order(lambda **_: "", ann=partial(confirm, task, ann), bob=partial(confirm, task, bob))


# cancel x finish ----------------------------------------------------------------------------------------------------


def test_cancel_and_the_end_of_a_plan_always_cancel() -> None:
    task = factories.planning(on=factories.agent(connected=True))

    def outcome(cancel: Any, finish: Any) -> Any:
        kinds = (Event.CANCEL, Event.PLANNED, Event.CANCELLED)
        return word(cancel), word(finish), factories.reread(task).status, events(task, *kinds)

    found = every_order(
        outcome,
        cancel=partial(cancel, task, factories.person()),
        finish=partial(plan_ends, task),
    )

    found.demand(
        (None, None, Status.CANCELLED, (Event.CANCEL, Event.CANCELLED)),
        (None, None, Status.CANCELLED, (Event.PLANNED, Event.CANCEL)),
    )


def test_cancel_and_the_end_of_an_apply_never_lose_the_apply() -> None:
    task = factories.applying(on=factories.agent(connected=True))

    def outcome(cancel: Any, finish: Any) -> Any:
        return word(cancel), word(finish), factories.reread(task).status, events(task, Event.CANCEL, Event.APPLIED)

    found = every_order(
        outcome,
        cancel=partial(cancel, task, factories.person()),
        finish=partial(apply_ends, task),
    )

    found.demand(
        (None, None, Status.APPLIED, (Event.CANCEL, Event.APPLIED)),
        ("IllegalMove", None, Status.APPLIED, (Event.APPLIED,)),
    )


def test_without_row_locks_an_order_is_found_that_refuses_a_cancel_for_no_reason_of_its_person() -> None:
    task = factories.applying(on=factories.agent(connected=True))
    person = factories.person()
    with without_row_locks():
        found = every_order(
            lambda cancel, finish: word(cancel),
            cancel=partial(cancel, task, person),
            finish=partial(apply_ends, task),
        )
    assert found.outcomes["LostRace"] > 0


# retry x cancel -----------------------------------------------------------------------------------------------------


def retry(task: Task, by: User) -> str:
    return str(remedies.retry(deepcopy(task), by=by).result)


def statuses() -> tuple[str, ...]:
    return tuple(Task.objects.order_by("id").values_list("status", flat=True))


def test_retry_and_cancel_of_a_task_that_backs_off() -> None:
    task = factories.backing_off(on=factories.agent(connected=True))

    found = every_order(
        lambda retry, cancel: (word(retry), word(cancel), statuses()),
        retry=partial(retry, task, factories.person("ann")),
        cancel=partial(cancel, task, factories.person("bob")),
    )

    found.demand(
        (follow_ups.Result.LOOKED_AGAIN, None, (Status.CANCELLED,)),
        (follow_ups.Result.NEW_TASK, None, (Status.CANCELLED, Status.PENDING)),
    )


def test_retry_and_retry_of_a_lost_apply_make_one_new_task() -> None:
    task = factories.needing_attention(on=factories.agent(connected=True))

    found = every_order(
        lambda ann, bob: (word(ann), word(bob), statuses()),
        ann=partial(retry, task, factories.person("ann")),
        bob=partial(retry, task, factories.person("bob")),
    )

    found.demand(
        (follow_ups.Result.NEW_TASK, follow_ups.Result.KNOWN_TASK, (Status.FAILED, Status.PENDING)),
        (follow_ups.Result.KNOWN_TASK, follow_ups.Result.NEW_TASK, (Status.FAILED, Status.PENDING)),
    )


# Three at once -----------------------------------------------------------------------------------------------------


def test_confirm_cancel_and_the_loss_of_the_slot_that_was_kept() -> None:
    task = factories.awaiting_confirmation(on=factories.agent(connected=True))

    found = every_order(
        lambda confirm, cancel, lose: (word(confirm), word(cancel), word(lose), factories.reread(task).status),
        confirm=partial(confirm, task, factories.person("ann")),
        cancel=partial(cancel, task, factories.person("bob")),
        lose=partial(recovery.slot_lost, task.pk, task.agent_id, cause="It is gone.", last_seen=None),
        most=60,  # three sessions have thousands
    )

    found.demand((True, None, None, Status.CANCELLED), ("IllegalMove", None, None, Status.CANCELLED))
