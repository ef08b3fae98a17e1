"""The list of what a task has to pass before it may start, as the dispatcher asks it."""

from dataclasses import dataclass

from agents import explain
from tasks.models import Task
from tasks.states import Status

_NAMES = {
    "workspace_lock": "The workspace is not locked",
    "queue_position": "No earlier task of the workspace comes first",
    "confirmation": "No plan awaits a confirmation",
    "state_lock": "Nobody else holds the state",
    "back_off": "The pause after a broken attempt is over",
    "pool_set": "The workspace names a pool",
    "pool_usable": "The pool can start something",
    "freeze_window": "No freeze window is open",
    "agents_connected": "An agent is connected",
    "matching_agent": "An agent has the engine that it needs",
    "free_slot": "A slot is free",
}


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One condition. `result`: pass, wait or not_reached; `message`: why it waits there."""

    name: str
    result: str
    message: str = ""


def of(task: Task) -> list[Gate]:
    """Return the gates of a task that waits to start; none for one that runs, has ended or waits for a decision."""
    if task.is_final or task.status in {Status.RUNNING, Status.NEEDS_ATTENTION}:
        return []
    return [_gate(answer) for answer in explain.explain(task)["gates"]]


def _gate(answer: explain.Answer) -> Gate:
    name = _NAMES.get(answer["name"], answer["name"].replace("_", " "))
    return Gate(name=name, result=answer["result"], message=(answer["reason"] or {}).get("message", ""))
