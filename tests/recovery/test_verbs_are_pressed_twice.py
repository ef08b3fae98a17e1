"""Each verb is safe to press twice, from two tabs at once too, and says what it did or who did it before."""

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.verbs import VERBS
from tasks import follow_ups, recovery, remedies
from tasks.errors import NotRetryable
from tasks.models import Task
from tasks.states import Event
from tasks.verbs import Done, Effect
from tests.races.racing import race
from tests.recovery import cells
from tests.tasks import factories
from workspaces.models import StateLock

pytestmark = pytest.mark.django_db(transaction=True)


def held_by_a_dead_run() -> Task:
    task = factories.pending()
    cells.state_by_a_dead_run(task)
    return task


TWICE: dict[str, tuple[str, Callable[[], Task], str]] = {
    "confirm": ("confirm-apply", factories.awaiting_confirmation, "This plan was confirmed before, by user:ann at"),
    "discard": ("discard", factories.awaiting_confirmation, "The plan was discarded before, by user:ann at"),
    "cancel at once": ("cancel", factories.pending, "The task was cancelled before, by user:ann at"),
    "cancel what runs": ("cancel", factories.applying, "The engine was asked to stop before, by user:ann at"),
    "force a plan": ("force-cancel", factories.cancelling, "Nobody waits for its engine"),
    "force an apply": ("force-cancel", cells.cancelled_in_mid_apply(permitted=True), "Nobody waits for its engine"),
    "mark as failed": ("mark-failed", factories.needing_attention, "The task was marked as failed before, by user:ann"),
    "retry what failed": ("retry", factories.failed, "was retried before: this is the task that follows it."),
    "retry what is lost": ("retry", factories.needing_attention, "was retried before: this is the task that follows"),
    "release the lock": ("release-lock", held_by_a_dead_run, "The state lock was released before, by user:ann at"),
}
ONCE = pytest.mark.parametrize(("verb", "make", "sentence"), TWICE.values(), ids=TWICE)


def press(verb: str, task: Task, by: str = "ann") -> Done:
    words = {"plan_digest": task.plan_digest, "reason": "Looked at it."}
    return VERBS[verb](copy(task), factories.person(by), words)


def history() -> list[Any]:
    return list(Task.objects.order_by("pk").values_list("pk", "status", "epoch", "lease", "events__event"))


@ONCE
def test_the_second_press_changes_nothing_and_says_who_was_first(
    verb: str, make: Callable[[], Task], sentence: str
) -> None:
    task = make()
    first = press(verb, task)
    assert first.effect != Effect.NOTHING_NEW
    before = history()
    again = press(verb, factories.reread(task), by="bob")
    assert (again.effect, again.task.pk) == (Effect.NOTHING_NEW, first.task.pk)
    assert sentence in again.sentence
    assert history() == before


@ONCE
def test_two_presses_at_once_are_one(verb: str, make: Callable[[], Task], sentence: str) -> None:
    task = make()
    factories.person("bob")
    first, second = race(lambda: press(verb, task, "ann"), lambda: press(verb, task, "bob"))
    assert isinstance(first, Done) and isinstance(second, Done), (first, second)
    assert sorted([first.effect == Effect.NOTHING_NEW, second.effect == Effect.NOTHING_NEW]) == [False, True]
    assert first.task.pk == second.task.pk


@pytest.mark.parametrize("number", range(3))
def test_a_retry_pressed_in_api_and_admin_at_once_makes_one_task(number: int) -> None:
    task = factories.failed()
    ann = factories.person()
    both = race(lambda: press("retry", task), lambda: remedies.retry(copy(task), by=ann))
    assert Task.objects.filter(retried_from=task).count() == 1, both


def test_without_the_row_lock_the_database_refuses_the_second_follow_up() -> None:
    task, ann = factories.failed(task_type="plan"), factories.person()
    follow_ups.follow_up(task, by=ann)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(Task.objects.none()), "live", lambda rows: rows.none())
        with pytest.raises(Exception, match="task_has_one_live_retry"):
            follow_ups.follow_up(task, by=ann)


def test_when_the_follow_up_has_ended_a_retry_makes_another_one() -> None:
    task = factories.failed()
    first = press("retry", task).task
    press("cancel", first)
    second = press("retry", task)
    assert second.effect == Effect.NEW_TASK and second.task.pk != first.pk


def test_a_stale_plan_that_is_retried_twice_is_planned_anew_once() -> None:
    task = factories.stale()
    assert press("retry", task).effect == Effect.STARTED
    assert press("retry", task).sentence.startswith("A slot was looked for again.")
    assert task.events.filter(event=Event.REPLAN).count() == 1


@pytest.mark.parametrize("until", [factories.running, lambda task: factories.planned(factories.running(task))])
def test_whoever_retries_a_stale_plan_late_is_told_who_asked_for_the_new_one(
    api: APIClient, until: Callable[[Task], Task]
) -> None:
    task = factories.stale()
    press("retry", task)
    until(factories.reread(task))
    before = history()
    again = press("retry", factories.reread(task), by="bob")
    assert again.effect == Effect.NOTHING_NEW
    assert again.sentence.startswith("The new plan was asked for before, by user:ann at")
    assert history() == before


def test_a_new_plan_that_nobody_asked_for_is_no_second_press() -> None:
    task = factories.stale()
    press("retry", task)
    task = factories.confirm(factories.planned(factories.running(factories.reread(task))))
    recovery.plan_again(task, cause="The state has changed.", actor="platform:dispatcher")
    with pytest.raises(NotRetryable):
        press("retry", factories.running(task))


@pytest.mark.parametrize(("outcome", "status"), [("applied", "applied"), ("failed", "failed")])
def test_force_cancelling_again_after_the_late_result_says_what_is_the_case(outcome: str, status: str) -> None:
    task = cells.cancelled_in_mid_apply(permitted=True)()
    press("force-cancel", task)
    factories.finish(factories.reread(task), outcome, exit_code=int(outcome == "failed"))
    before = history()
    again = press("force-cancel", factories.reread(task), by="bob")
    assert again.effect == Effect.NOTHING_NEW
    assert "it was cancelled before, by user:ann at" in again.sentence
    assert again.sentence.endswith(f"Now it is {status}.")
    assert history() == before


def test_a_late_discard_ends_no_plan_that_nobody_saw(api: APIClient) -> None:
    seen = factories.stale()
    press("retry", seen)
    factories.planned(factories.running(factories.reread(seen)))
    with pytest.raises(Exception, match="Look at it again"):
        press("discard", seen)
    assert factories.reread(seen).status == "apply_pending"


@pytest.mark.parametrize(("verb", "codes"), [("cancel", [200, 200]), ("retry", [200, 200])])
def test_the_api_says_it_too(api: APIClient, verb: str, codes: list[int]) -> None:
    task = factories.pending()
    address = f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/{verb}"
    answers = [api.post(address, {}, format="json") for _ in codes]
    assert [answer.status_code for answer in answers] == codes
    assert all(answer.json()["message"].endswith(".") for answer in answers)


def test_the_api_answers_a_second_retry_with_the_first_one_s_task(api: APIClient) -> None:
    task = factories.failed()
    address = f"/api/v1/workspaces/{task.workspace_id}/tasks/{task.pk}/retry"
    first, second = (api.post(address, {}, format="json") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert second.json()["retried_from"] == task.pk
    assert f"Task {task.pk} was retried before" in second.json()["message"]


def test_marking_it_failed_again_releases_no_lock_of_somebody_else() -> None:
    task = factories.needing_attention()
    press("mark-failed", task)
    later = factories.applying(workspace=task.workspace)
    cells.state_by(later, later)
    press("mark-failed", task)
    assert StateLock.objects.exists()


def test_a_follow_up_that_runs_is_not_said_to_have_a_slot_held_for_it() -> None:
    ann = factories.person()
    failed = factories.failed()
    new = VERBS["retry"](failed, ann, {}).task
    factories.running(new)
    again = VERBS["retry"](failed, ann, {})
    assert again.task == new
    assert again.sentence.endswith(f"It runs on slot {again.task.slot} of an agent.")
