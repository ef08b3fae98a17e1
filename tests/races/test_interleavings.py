"""That the enumeration is one: toy sessions of which the number of orders, and what goes wrong, are known."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from math import comb
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from iacplatform.base.problems import Problem
from tasks import attempts, recovery
from tasks.attempts import Place
from tasks.models import Task
from tasks.signals import task_moved
from tasks.states import Lease
from tests.races.pairs import BadOrder, every_order
from tests.races.sessions import Action
from tests.tasks import factories
from workspaces import states
from workspaces.models import StateLock, Workspace
from workspaces.state_api import person

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_sessions_of_five_statements_have_252_orders() -> None:
    factories.workspace()

    def five_looks() -> None:
        for _ in range(5):
            Workspace.objects.exists()

    found = every_order(lambda **_: "looked", ann=five_looks, bob=five_looks, reduce=False)
    assert found.orders == comb(10, 5) == 252


def test_of_orders_that_nobody_could_tell_apart_one_is_enough() -> None:
    factories.workspace()

    def look() -> None:
        for _ in range(5):
            Workspace.objects.exists()

    assert every_order(lambda **_: "looked", ann=look, bob=look).orders == 1


@pytest.mark.parametrize("reduce", [True, False])
def test_a_lost_update_is_found(reduce: bool) -> None:
    one = factories.workspace(plan_timeout_seconds=100)

    def add() -> None:
        seen = Workspace.objects.get(pk=one.pk).plan_timeout_seconds
        Workspace.objects.filter(pk=one.pk).update(plan_timeout_seconds=seen + 1)

    def total(**_: object) -> int:
        return Workspace.objects.get(pk=one.pk).plan_timeout_seconds

    assert set(every_order(total, ann=add, bob=add, reduce=reduce).outcomes) == {101, 102}


def test_a_session_that_waits_for_a_row_is_not_asked_to_go_on() -> None:
    one = factories.workspace(plan_timeout_seconds=100)

    @transaction.atomic
    def add() -> None:
        seen = Workspace.objects.locked_for_change(one.pk).plan_timeout_seconds
        Workspace.objects.filter(pk=one.pk).update(plan_timeout_seconds=seen + 1)

    def total(**_: object) -> int:
        return Workspace.objects.get(pk=one.pk).plan_timeout_seconds

    found = every_order(total, ann=add, bob=add, reduce=False)
    # Whoever locks first goes on alone; the other one asks before its UPDATE, before its COMMIT, or afterwards.
    assert found.outcomes == {102: 6}


def test_two_sessions_that_wait_for_each_other_are_found() -> None:
    one, two = factories.workspace(), factories.workspace()

    @transaction.atomic
    def touch(first: str, second: str) -> None:
        for key in (first, second):
            Workspace.objects.filter(pk=key).update(plan_timeout_seconds=F("plan_timeout_seconds") + 1)

    with pytest.raises(BadOrder, match="each of them waits for another"):
        every_order(lambda **_: "", ann=lambda: touch(one.pk, two.pk), bob=lambda: touch(two.pk, one.pk))


def test_what_fails_unseen_after_a_commit_is_found() -> None:
    def fail() -> None:
        with transaction.atomic():
            Workspace.objects.exists()
            transaction.on_commit(lambda: 1 / 0, robust=True)

    with pytest.raises(BadOrder, match="ZeroDivisionError"):
        every_order(lambda **_: "", ann=fail, bob=int)


def offers() -> dict[str, Action]:
    task = factories.pending()
    places = {name: factories.place(factories.agent(name)) for name in ("here", "there")}
    return {name: partial(offer, task, place) for name, place in places.items()}


@transaction.atomic
def offer(task: Task, place: Place) -> None:
    if Task.objects.filter(pk=task.pk, lease=Lease.NONE).exists():
        attempts.offer(deepcopy(task), place)


def accept_and_loss() -> dict[str, Action]:
    task = factories.offered()
    lose = partial(recovery.slot_lost, task.pk, task.agent_id, cause="Gone.", last_seen=None)
    return {"accept": partial(attempts.accept, task.pk, task.epoch, task.agent_id), "lose": lose}


def lock_and_force_unlock() -> dict[str, Action]:
    workspace = factories.workspace()
    ann, bob = (person(factories.person(name), workspace.pk) for name in ("ann", "bob"))
    states.lock(workspace.pk, "lock of bob", {}, bob)
    take = partial(states.lock, workspace.pk, "lock of ann", {}, ann)
    return {"lock": take, "unlock": partial(states.unlock, workspace.pk, "", bob)}


def is_refused(answer: Any) -> bool:
    return isinstance(answer, Problem)


@pytest.mark.parametrize("make", [offers, accept_and_loss, lock_and_force_unlock])
def test_no_outcome_is_missed_by_leaving_out_orders_that_nobody_could_tell_apart(
    make: Callable[[], dict[str, Action]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_moved, "send_robust", lambda **news: [])
    actions: Any = make()

    def outcome(**answers: Any) -> Any:
        rows = Task.objects.order_by("id").values_list("status", "lease", "agent_id", "epoch")
        return tuple(is_refused(answer) for answer in answers.values()), tuple(rows), StateLock.objects.count()

    few, all_of_them = every_order(outcome, **actions), every_order(outcome, reduce=False, **actions)
    assert few.outcomes.keys() == all_of_them.outcomes.keys()
    assert few.orders < all_of_them.orders
