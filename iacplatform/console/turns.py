"""The sentence that comes first on a task's page: whose turn it is, why, and what moves it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.models import Task
from tasks.reasons import Code, Turn
from tasks.states import Stage, Status

_WHOSE = {
    Turn.MACHINE: "The platform's turn",
    Turn.PERSON: "A person's turn",
    Turn.CONFIG: "The settings have to change",
    Turn.CLUSTER: "The cluster's turn",
    Turn.TIME: "It waits for its time",
}
_YOURS = "Your turn"

_STAGES: dict[str, str] = {
    Stage.PREPARING: "the agent prepares its folder",
    Stage.INITIALIZING: "the engine initializes",
    Stage.PLANNING: "the engine plans",
    Stage.APPLYING: "the engine applies the plan",
    Stage.SAVING: "the agent hands in the result",
    Stage.CANCELLING: "the engine was asked to stop",
}

_FAILURES = {
    "engine_missing": "the agent has no such engine",
    "engine_failed": "the engine said no",
    "plan_timeout": "the plan took longer than the workspace allows",
    "apply_timeout": "the apply took longer than the workspace allows",
    "attempts_exhausted": "every attempt broke off",
    "marked_failed": "a person marked it as failed",
}

_ENDS = {
    Status.SUCCESS: "Done: the plan is made, and nothing is to be applied.",
    Status.DISCARDED: "Discarded: the plan was not applied.",
    Status.CANCELLED: "Cancelled.",
}


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """What the page says first. `stuck`: the code of what it is stuck on, or empty; `quote`: words of others."""

    turn: str
    heading: str
    remedy: str = ""
    quote: str = ""
    stuck: str = ""
    since: datetime | None = None
    next_check_at: datetime | None = None
    deadline: datetime | None = None


def sentence(task: Task, actions: Collection[str] = ()) -> Sentence:
    """Return the sentence about a task read `with_outlook`, for a person who may do these `actions`."""
    if task.wait_reason is not None:
        return _waits(task, task.wait_reason, actions)
    return _runs(task) if task.status == Status.RUNNING else _ended(task)


def _waits(task: Task, reason: dict[str, Any], actions: Collection[str]) -> Sentence:
    yours = reason["turn"] == Turn.PERSON and bool({*reason["actions"]} & {*actions} - {"cancel"})
    whose = _YOURS if yours else _WHOSE[Turn(reason["turn"])]
    return Sentence(
        turn=reason["turn"],
        heading=f"{whose}: {_continued(reason['message'])}",
        remedy=reason["remedy"],
        stuck=reason["code"] if task.is_stuck else "",
        since=reason["since"],
        next_check_at=reason["next_check_at"],
        deadline=reason["deadline"],
    )


def _continued(message: str) -> str:
    """Return the message as it goes on after a colon; a name at its head keeps its capital."""
    first = message.split(" ", 1)[0]
    return message[:1].lower() + message[1:] if first in {"The", "A", "An", "It", "No", "None", "All"} else message


def _runs(task: Task) -> Sentence:
    if task.is_stuck:
        return Sentence(
            turn=Turn.MACHINE,
            heading="It should have moved on by now, and nobody has looked at it since.",
            remedy="The platform's sweep does not run, or cannot reach the database: an operator should look. "
            "Nothing is lost: what the agent reports still counts.",
            stuck=Code.SCHEDULER_SILENT,
            deadline=task.deadline,
        )
    return Sentence(
        turn=Turn.MACHINE, heading=f"It runs: {_STAGES.get(task.stage, 'an agent works on it')}.", remedy=_awaited(task)
    )


def _awaited(task: Task) -> str:
    if task.stage != Stage.CANCELLING:
        return "Nothing to do: it moves on when the agent reports."
    return "It ends when the engine has stopped. Cancelling without waiting leaves what was done unknown."


def _ended(task: Task) -> Sentence:
    if task.status == Status.FAILED:
        why = _FAILURES.get(task.error_code, task.error_code.replace("_", " "))
        return Sentence(turn="", heading=f"Failed: {why}.", quote=task.error_message)
    if task.status == Status.APPLIED:
        return Sentence(turn="", heading=f"Applied: {_numbers(task)}.")
    return Sentence(turn="", heading=_ENDS[Status(task.status)], quote=task.error_message)


def _numbers(task: Task) -> str:
    words = {"add": "added", "change": "changed", "destroy": "destroyed"}
    done = task.changes or {}
    return ", ".join(f"{done.get(key, 0)} {word}" for key, word in words.items())
