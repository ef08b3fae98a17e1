"""Where a task is on its way, and how long each stretch took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.models import Attempt, Task
from tasks.states import Phase, Position, Status


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """One step of the way. `seconds`: how long it took, or takes so far; None: not reached, or only a point in time."""

    name: str
    mark: str  # done, now, broken (it ended here, badly), left (it ended without), or empty: not reached
    at: datetime | None = None
    seconds: float | None = None


_PLAN_ONLY = ("Created", "Queue", "Plan", "Done")
_CHANGING = ("Created", "Queue", "Plan", "Confirm", "Apply", "Done")
_NOW = {
    Position.WAITING: "Queue",
    Position.PENDING: "Queue",
    Position.PLANNING: "Plan",
    Position.APPLY_PENDING: "Confirm",
    Position.CONFIRMED: "Apply",
    Position.APPLYING: "Apply",
    Position.NEEDS_ATTENTION: "Apply",
    Position.ENDED: "Done",
}

_ENDS = {Status.SUCCESS: "done", Status.APPLIED: "done", Status.FAILED: "broken"}

Times = tuple[datetime | None, datetime | None]
"""When a stretch began and ended."""


def of(task: Task, attempts: Sequence[Attempt], now: datetime) -> list[Stretch]:
    """Return the task's way. `attempts`: of this task, oldest first."""
    names = _CHANGING if task.is_changing else _PLAN_ONLY
    times = _times(task, attempts)
    return [_stretch(name, _mark(name, task, times[name]), times[name], now) for name in names]


def _mark(name: str, task: Task, times: Times) -> str:
    if not task.is_final:
        return "now" if name == _NOW[task.position] else "done" if times[1] else ""
    if name == "Done":
        return _ENDS.get(Status(task.status), "left")
    reached_its_aim = name not in {"Plan", "Apply"} or (bool(task.plan_digest) if name == "Plan" else _is_applied(task))
    return "" if not times[1] else "done" if reached_its_aim else "broken"


def _is_applied(task: Task) -> bool:
    return task.status == Status.APPLIED


def _stretch(name: str, mark: str, times: Times, now: datetime) -> Stretch:
    begun, ended = times
    until = ended or (now if mark == "now" else None)
    return Stretch(
        name=name,
        mark=mark,
        at=ended if name in {"Created", "Done"} else None,
        seconds=(until - begun).total_seconds() if begun and until and name not in {"Created", "Done"} else None,
    )


def _times(task: Task, attempts: Sequence[Attempt]) -> dict[str, Times]:
    plan, apply = _last(attempts, Phase.PLAN), _last(attempts, Phase.APPLY)
    planned = plan[1] if task.plan_digest else None
    return {
        "Created": (task.created_at, task.created_at),
        "Queue": (task.created_at, task.started_at),
        "Plan": plan,
        "Confirm": (planned, task.confirmed_at),
        "Apply": apply if apply[0] else (task.confirmed_at, None),
        "Done": (task.completed_at, task.completed_at),
    }


def _last(attempts: Sequence[Attempt], phase: Phase) -> Times:
    newest = [attempt for attempt in attempts if attempt.phase == phase and attempt.accepted_at][-1:]
    return (newest[0].accepted_at, newest[0].ended_at) if newest else (None, None)
