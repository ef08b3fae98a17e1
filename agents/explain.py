"""Why a task waits, gate by gate: the dispatcher's own list, asked for one task and without doing anything."""

from datetime import datetime, timedelta
from typing import Any

from agents import capacity as capacities
from agents import gates
from agents.candidates import Candidate
from agents.gates import Gate
from iacplatform.base import clock
from tasks import reasons
from tasks.models import Task
from tasks.reasons import WaitReason
from tasks.states import Lease, Status

Answer = dict[str, Any]


def explain(task: Task) -> dict[str, Any]:
    """Return `{"gates": [{"name", "result", "reason"}], "wait_reason"}` in the contract's shape."""
    seen = Task.objects.with_outlook().select_related("workspace__state_lock").with_pool().get(pk=task.pk)
    return {"gates": _answers(seen), "wait_reason": seen.wait_reason}


def _answers(task: Task) -> list[Answer]:
    if task.is_final or task.status == Status.NEEDS_ATTENTION:
        return [_answer(gate, "not_reached") for gate in gates.GATES]
    if task.status == Status.RUNNING or task.lease == Lease.OFFERED:
        return [_answer(gate, "pass") for gate in gates.GATES]
    return _asked(task)


def _asked(task: Task) -> list[Answer]:
    candidate = Candidate(task, capacities.look(task.pool_now, clock.now()))  # type: ignore[attr-defined]
    answers: list[Answer] = []
    for gate in gates.GATES:
        if any(answer["result"] == "wait" for answer in answers):
            answers.append(_answer(gate, "not_reached"))
        elif (reason := gate(candidate)) is not None:
            answers.append(_answer(gate, "wait", _shown(reason, task, candidate.capacity.now)))
        else:
            answers.append(_answer(gate, "pass"))
    return answers


def _answer(gate: Gate, result: str, reason: dict[str, Any] | None = None) -> Answer:
    return {"name": gate.__name__, "result": result, "reason": reason}


def _shown(reason: WaitReason, task: Task, now: datetime) -> dict[str, Any]:
    """Return the reason in the contract's shape; it began when the task's row says so, or just now."""
    since = task.reason_since if task.reason_since and task.reason_code == reason.code else now
    grace, look = reason.grace_seconds, timedelta(seconds=reason.check_seconds)
    deadline = reason.deadline or (None if grace is None else since + timedelta(seconds=grace))
    return reasons.shown(reason.stored(), since=since, next_check_at=now + look, deadline=deadline)
