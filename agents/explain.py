"""Why a task waits, gate by gate: the dispatcher's own list, asked for one task and without doing anything."""

from typing import Any

from agents import capacity as capacities
from agents import gates
from agents.candidates import Candidate
from agents.gates import Gate
from iacplatform.base import clock
from pools.models import Pool
from tasks.models import Task
from tasks.reasons import WaitReason
from tasks.states import Lease, Status

Answer = dict[str, Any]


def explain(task: Task) -> dict[str, Any]:
    """Return `{"gates": [{"name", "result", "reason"}], "wait_reason"}` in the contract's shape."""
    seen = Task.objects.select_related("workspace__state_lock").with_pool().get(pk=task.pk)
    return {"gates": _answers(seen), "wait_reason": seen.wait_reason}


def _answers(task: Task) -> list[Answer]:
    if task.is_final or task.status == Status.NEEDS_ATTENTION:
        return [_answer(gate, "not_reached", None) for gate in gates.GATES]
    if task.status == Status.RUNNING or task.lease == Lease.OFFERED:
        return [_answer(gate, "pass", None) for gate in gates.GATES]
    return _asked(task)


def _asked(task: Task) -> list[Answer]:
    pool = Pool.objects.filter(pk=task.pool_now).first()  # type: ignore[attr-defined]
    candidate = Candidate(task, capacities.look(pool, clock.now()))
    answers: list[Answer] = []
    for gate in gates.GATES:
        closed = any(answer["result"] == "wait" for answer in answers)
        reason = None if closed else gate(candidate)
        answers.append(_answer(gate, "not_reached" if closed else "pass" if reason is None else "wait", reason))
    return answers


def _answer(gate: Gate, result: str, reason: WaitReason | None) -> Answer:
    return {"name": gate.__name__, "result": result, "reason": reason.stored() if reason else None}
