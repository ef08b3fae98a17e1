"""What a person's word does to a task: the domain's verb, and the sentence that says what came of it.

Pages and the admin go by this table. One verb is missing: which state lock is an orphan, only the layer above knows.
"""

from collections.abc import Callable, Mapping
from typing import Any

from iacplatform.base import rights
from iacplatform.base.problems import Invalid
from tasks import actions, cancellation, confirmation, dispatching, recovery
from tasks.models import Task
from tasks.states import RUNNABLE
from workspaces import locks
from workspaces.models import Workspace

Words = Mapping[str, Any]
"""What was filled in beside the button."""
Done = tuple[Task, str]
"""The task to look at next, and a sentence."""
Verb = Callable[[Task, Any, Words], Done]


def confirm(task: Task, user: Any, words: Words) -> Done:
    """Confirm the plan that the page showed. Raises `Invalid` when the form does not say which one that was."""
    digest = words.get("plan_digest", "")
    if not digest:
        raise Invalid("The form does not say which plan it confirms: open the task's page anew and read the plan.")
    is_new = confirmation.confirm(task, by=user, description=words.get("apply_description", ""), plan_digest=digest)
    if not is_new:
        dispatching.ask_again(task)
    return dispatched(task, "The plan is confirmed." if is_new else "This plan was confirmed before.")


def retry(task: Task, user: Any, words: Words) -> Done:
    """Try again: the same task where it can go on, else a new one."""
    looked_at = recovery.retry(task, by=user)
    if looked_at.pk != task.pk:
        return dispatched(looked_at, f"This is a new task; it follows task {task.pk}.")
    if looked_at.status != task.status:
        return dispatched(looked_at, "A new plan is made; it needs a new confirmation.")
    dispatching.ask_again(looked_at)
    return dispatched(looked_at, "A slot was looked for again.")


def discard(task: Task, user: Any, words: Words) -> Done:
    """End the task without applying its plan."""
    confirmation.discard(task, by=user)
    return task, "The plan is discarded."


def cancel(task: Task, user: Any, words: Words) -> Done:
    """End the task, or ask its engine to stop."""
    cancellation.cancel(task, by=user)
    return task, "The task is cancelled." if task.is_final else "The engine is asked to stop; then the task ends."


def force_cancel(task: Task, user: Any, words: Words) -> Done:
    """Do not wait for the engine to stop."""
    cancellation.force_cancel(task, by=user)
    if task.is_final:
        return task, "The task is cancelled; nobody waited for its engine."
    return task, "Nobody waits for the engine any more. How far its apply came is unknown: the task needs attention."


def mark_failed(task: Task, user: Any, words: Words) -> Done:
    """Say that the lost apply is over."""
    recovery.mark_failed(task, by=user, reason=reason(words))
    held = Workspace.objects.get(pk=task.workspace_id)
    after = f"stays locked by {held.locked_by}" if held.is_locked else "is free"
    return task, f"The task is marked as failed and has let go of its locks. Workspace {held.name} {after}."


def unlock(task: Task, user: Any, words: Words) -> Done:
    """Unlock the task's workspace."""
    locks.unlock(task.workspace)
    return task, f"Workspace {task.workspace.name} is unlocked."


VERBS: dict[str, Verb] = {
    "confirm-apply": confirm,
    "retry": retry,
    "discard": discard,
    "cancel": cancel,
    "force-cancel": force_cancel,
    "mark-failed": mark_failed,
    "unlock": unlock,
}


def may_ask(user: Any, name: str) -> bool:
    """Return whether `user` may ask for this verb on some task, at some time."""
    return any(rights.may(user, each.permission) for each in actions.ACTIONS if each.name == name)


def ask(table: Mapping[str, Verb], name: str, task: Task, user: Any, words: Words) -> Done:
    """Do the verb of that name for `user`, who needs the right to it; raise what the verb refuses."""
    actions.demand(task, user, name)
    return table[name](task, user, words)


def reason(words: Words) -> str:
    """Return why, or raise `Invalid` where nothing is said."""
    said: str = words.get("reason", "").strip()
    if not said:
        raise Invalid("Say why, in the field beside it.")
    return said


def dispatched(task: Task, sentence: str) -> Done:
    """Return the task as its row is now, and the sentence with what came of looking for a slot."""
    seen = Task.objects.select_related("workspace").get(pk=task.pk)
    found = dispatching.outcome(seen)
    if found["outcome"] == "offered":
        return seen, f"{sentence} Slot {seen.slot} of an agent is held for it."
    if found["outcome"] == "deferred":
        return seen, f"{sentence} Looking for a slot did not succeed; it is tried again within seconds."
    waits = seen.status in RUNNABLE and found["wait_reason"] is not None
    return seen, f"{sentence} It waits: {found['wait_reason']['message']}" if waits else sentence
