"""What a button on a task's page does: the domain's verb, and the sentence that says what came of it."""

from collections.abc import Callable, Mapping
from typing import Any

from agents import orphans
from iacplatform.base.problems import Invalid
from tasks import cancellation, confirmation, dispatching, recovery
from tasks.models import Task
from tasks.states import Status
from workspaces import locks

Form = Mapping[str, Any]
Done = tuple[Task, str]
"""The task to look at next, and a sentence."""


def confirm(task: Task, user: Any, form: Form) -> Done:
    """Confirm the plan that the page showed. Raises `Invalid` when the form does not say which one that was."""
    digest = form.get("plan_digest", "")
    if not digest:
        raise Invalid("The form does not say which plan it confirms: open the task's page anew and read the plan.")
    is_new = confirmation.confirm(task, by=user, description=form.get("apply_description", ""), plan_digest=digest)
    if not is_new:
        dispatching.ask_again(task)
    return _dispatched(task, "The plan is confirmed." if is_new else "This plan was confirmed before.")


def retry(task: Task, user: Any, form: Form) -> Done:
    """Try again: the same task where it can go on, else a new one."""
    looked_at = recovery.retry(task, by=user)
    if looked_at.pk != task.pk:
        return _dispatched(looked_at, f"This is a new task; it follows task {task.pk}.")
    if looked_at.status != task.status:
        return _dispatched(looked_at, "A new plan is made; it needs a new confirmation.")
    dispatching.ask_again(looked_at)
    return _dispatched(looked_at, "A slot was looked for again.")


def discard(task: Task, user: Any, form: Form) -> Done:
    """End the task without applying its plan."""
    confirmation.discard(task, by=user)
    return task, "The plan is discarded."


def cancel(task: Task, user: Any, form: Form) -> Done:
    """End the task, or ask its engine to stop."""
    cancellation.cancel(task, by=user)
    return task, "The task is cancelled." if task.is_final else "The engine is asked to stop."


def force_cancel(task: Task, user: Any, form: Form) -> Done:
    """Do not wait for the engine to stop."""
    cancellation.force_cancel(task, by=user)
    return task, "Nobody waits for the engine any more."


def mark_failed(task: Task, user: Any, form: Form) -> Done:
    """Say that the lost apply is over."""
    recovery.mark_failed(task, by=user, reason=_reason(form))
    return task, "The task is marked as failed; its workspace is free."


def release_lock(task: Task, user: Any, form: Form) -> Done:
    """Let go of the state lock that stands in the way, whose holder is gone."""
    orphans.release(task, by=user, reason=_reason(form))
    dispatching.ask_again(task)
    return _dispatched(task, "The state lock is released.")


def unlock(task: Task, user: Any, form: Form) -> Done:
    """Unlock the task's workspace."""
    locks.unlock(task.workspace)
    return task, f"Workspace {task.workspace.name} is unlocked."


VERBS: dict[str, Callable[[Task, Any, Form], Done]] = {
    "confirm-apply": confirm,
    "retry": retry,
    "discard": discard,
    "cancel": cancel,
    "force-cancel": force_cancel,
    "mark-failed": mark_failed,
    "release-lock": release_lock,
    "unlock": unlock,
}


def _reason(form: Form) -> str:
    reason: str = form.get("reason", "").strip()
    if not reason:
        raise Invalid("Say why, in the field beside the button.")
    return reason


def _dispatched(task: Task, sentence: str) -> Done:
    seen = Task.objects.select_related("workspace").get(pk=task.pk)
    found = dispatching.outcome(seen)
    if found["outcome"] == "offered":
        return seen, f"{sentence} Slot {seen.slot} of an agent is held for it."
    if found["outcome"] == "deferred":
        return seen, f"{sentence} Looking for a slot did not succeed; it is tried again within seconds."
    return seen, sentence if seen.status not in {Status.PENDING, Status.CONFIRMED} else f"{sentence} It waits."
