"""What a person's word does to a task: the domain's verb, and the sentence that says what came of it.

API, pages and admin go by this table, so that all three say the same. One verb is missing: which state lock is an
orphan, only the layer above knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from iacplatform.base import rights
from iacplatform.base.problems import Invalid
from tasks import actions, cancellation, confirmation, dispatching, remedies
from tasks.errors import IllegalMove, NotRetryable
from tasks.follow_ups import Result
from tasks.models import Task, TaskEvent
from tasks.states import RUNNABLE, Event, Status
from workspaces import locks
from workspaces.models import Workspace

Words = Mapping[str, Any]
"""What was filled in beside the button, or came in the body."""


class Effect(StrEnum):
    """What a verb did."""

    DONE = "done"
    STARTED = "started"
    """It is accepted, and what follows takes its time."""
    NEW_TASK = "new_task"
    NOTHING_NEW = "nothing_new"
    """It was done before."""


@dataclass(frozen=True)
class Done:
    """What came of a verb. `task`: the one to look at next; `sentence`: for people."""

    task: Task
    sentence: str
    effect: Effect = Effect.DONE


Verb = Callable[[Task, Any, Words], Done]


def confirm(task: Task, user: Any, words: Words) -> Done:
    """Confirm the plan that `plan_digest` names."""
    description, digest = words.get("apply_description", ""), words.get("plan_digest", "")
    if confirmation.confirm(task, by=user, description=description, plan_digest=digest):
        return dispatched(task, "The plan is confirmed.", Effect.STARTED)
    when = before(task, Event.CONFIRM, Event.AUTO_APPLY)
    return dispatched(task, f"This plan was confirmed before{when}.", Effect.NOTHING_NEW)


_RETRIED = {
    Result.NEW_TASK: ("This is a new task; it follows task {task}.", Effect.NEW_TASK),
    Result.KNOWN_TASK: ("Task {task} was retried before: this is the task that follows it.", Effect.NOTHING_NEW),
    Result.KNOWN_PLAN: ("The new plan was asked for before{before}.", Effect.NOTHING_NEW),
    Result.PLANS_AGAIN: ("A new plan is made; it needs a new confirmation.", Effect.STARTED),
    Result.LOOKED_AGAIN: ("A slot was looked for again.", Effect.DONE),
}


def retry(task: Task, user: Any, words: Words) -> Done:
    """Try again: the same task where it can go on, else a new one."""
    lost = f"Task {task.pk} is marked as failed. " if task.status == Status.NEEDS_ATTENTION else ""
    tried = remedies.retry(task, by=user)
    sentence, effect = _RETRIED[tried.result]
    said = sentence.format(task=task.pk, before=before(task, Event.REPLAN))
    done = dispatched(tried.task, lost + said, effect)
    in_vain = tried.result == Result.LOOKED_AGAIN and actions.waits_for_its_time(done.task)
    return replace(done, effect=Effect.NOTHING_NEW) if in_vain else done


def discard(task: Task, user: Any, words: Words) -> Done:
    """End the task without applying its plan."""
    if confirmation.discard(task, by=user):
        return Done(task, "The plan is discarded.")
    return Done(task, f"The plan was discarded before{before(task, Event.DISCARD)}.", Effect.NOTHING_NEW)


def cancel(task: Task, user: Any, words: Words) -> Done:
    """End the task, or ask its engine to stop."""
    if cancellation.cancel(task, by=user):
        asked = "The engine is asked to stop; then the task ends."
        return Done(task, "The task is cancelled." if task.is_final else asked)
    what = "The task was cancelled before" if task.is_final else "The engine was asked to stop before"
    return Done(task, f"{what}{before(task, Event.CANCEL)}.", Effect.NOTHING_NEW)


def force_cancel(task: Task, user: Any, words: Words) -> Done:
    """Do not wait for the engine to stop."""
    if not cancellation.force_cancel(task, by=user):
        when = before(task, Event.FORCE_CANCEL, Event.CANCEL)
        now = f" Now it is {task.status}." if task.is_final else ""
        return Done(task, f"Nobody waits for its engine: it was cancelled before{when}.{now}", Effect.NOTHING_NEW)
    if task.is_final:
        return Done(task, "The task is cancelled; nobody waited for its engine.")
    what_now = "How far its apply came is unknown: the task needs attention."
    return Done(task, f"Nobody waits for the engine any more. {what_now}")


def mark_failed(task: Task, user: Any, words: Words) -> Done:
    """Say that the lost apply is over."""
    if not remedies.mark_failed(task, by=user, reason=words.get("reason", "")):
        when = before(task, Event.MARK_FAILED)
        return Done(task, f"The task was marked as failed before{when}.", Effect.NOTHING_NEW)
    held = Workspace.objects.get(pk=task.workspace_id)
    after = f"stays locked by {held.locked_by}" if held.is_locked else "is free"
    return Done(task, f"The task is marked as failed and has let go of its locks. Workspace {held.name} {after}.")


def unlock(task: Task, user: Any, words: Words) -> Done:
    """Unlock the task's workspace."""
    locks.unlock(task.workspace)
    return Done(task, f"Workspace {task.workspace.name} is unlocked.")


VERBS: dict[str, Verb] = {
    "confirm-apply": confirm,
    "retry": retry,
    "discard": discard,
    "cancel": cancel,
    "force-cancel": force_cancel,
    "mark-failed": mark_failed,
    "unlock": unlock,
}

UNREAD = "The form does not say which plan it confirms: open the task's page anew and read the plan."

MOST_CHARACTERS = 2000
"""Of what a person writes, as in the API."""


def may_ask(user: Any, name: str) -> bool:
    """Return whether `user` may ask for this verb on some task, at some time."""
    return any(rights.may(user, each.permission) for each in actions.ACTIONS if each.name == name)


def ask(table: Mapping[str, Verb], name: str, task: Task, user: Any, words: Words) -> Done:
    """Do the verb of that name for `user`, who needs the right to it.

    Raises `Invalid` where the words are too long, and what the verb refuses, with what can be done instead.
    """
    actions.demand(task, user, name)
    said = {name: value.strip() if isinstance(value, str) else value for name, value in words.items()}
    if any(isinstance(value, str) and len(value) > MOST_CHARACTERS for value in said.values()):
        raise Invalid(f"Say it in {MOST_CHARACTERS:,} characters at most.")
    try:
        return table[name](task, user, said)
    except (IllegalMove, NotRetryable) as refused:
        seen = Task.objects.select_related("workspace__state_lock").get(pk=task.pk)
        raise type(refused)(f"{refused.detail} {actions.instead(seen, user)}") from refused


def ask_by_form(table: Mapping[str, Verb], name: str, task: Task, user: Any, words: Words) -> Done:
    """Do the same for a form, which confirms the plan that its page has shown and no other."""
    if name == "confirm-apply" and not words.get("plan_digest", "").strip():
        raise Invalid(UNREAD)
    return ask(table, name, task, user, words)


def dispatched(task: Task, sentence: str, effect: Effect = Effect.DONE) -> Done:
    """Return the task as its row is now, and the sentence with what came of looking for a slot."""
    seen = Task.objects.select_related("workspace").get(pk=task.pk)
    return Done(seen, f"{sentence} {_outcome(seen)}".strip(), effect)


def _outcome(task: Task) -> str:
    found = dispatching.outcome(task)
    if found["outcome"] == "offered" and not task.is_final:
        runs = task.status == Status.RUNNING
        return f"It runs on slot {task.slot} of an agent." if runs else f"Slot {task.slot} of an agent is held for it."
    if found["outcome"] == "deferred":
        return "Looking for a slot did not succeed; it is tried again within seconds."
    waits = task.status in RUNNABLE and found["wait_reason"] is not None
    return f"It waits: {found['wait_reason']['message']}" if waits else ""


def before(task: Task, *events: Event) -> str:
    """Return who did it and when, to be put behind "before"."""
    last = TaskEvent.objects.filter(task=task, event__in=events).order_by("id").last()
    return f", by {last.actor} at {last.at:%Y-%m-%d %H:%M:%S} UTC" if last else ""
