"""Every verb that a person has for a task: those of `tasks.verbs`, and the one that asks who is alive."""

from typing import Any

from agents import orphans
from tasks import dispatching, verbs
from tasks.models import Task
from tasks.states import Event
from tasks.verbs import Done, Effect, Verb, Words


def release_lock(task: Task, user: Any, words: Words) -> Done:
    """Let go of the state lock that stands in the way, whose holder is gone."""
    if not orphans.release(task, by=user, reason=words.get("reason", "")):
        before = verbs.before(task, Event.LOCK_RELEASED)
        return verbs.dispatched(task, f"The state lock was released before{before}.", Effect.NOTHING_NEW)
    dispatching.ask_again(task)
    return verbs.dispatched(task, "The state lock is released.")


VERBS: dict[str, Verb] = {**verbs.VERBS, "release-lock": release_lock}
