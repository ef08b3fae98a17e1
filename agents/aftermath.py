"""What is known of a lost apply: what a person looks at before they decide. All of it is derived from the rows."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents import completions, evidence, lock_holders
from agents.completions import Completion
from agents.evidence import Evidence
from agents.lock_holders import Life
from agents.models import Agent
from tasks import attempts, log_lines
from tasks.models import Attempt, Task
from tasks.states import Status
from workspaces.models import StateLock, StateVersion

MOST_RESOURCES = 200


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What a lost apply left behind.

    `last_serial`: of the workspace's newest state, `last_saved_at`: when this task saved it, None where it saved none.
    `resources_after_last_serial`: what the log says was completed and the state that it saved last does not hold, each
    with `address` and `action` (create, update, delete). `state_lock`: None, or `holder`, `lock_id`, `since` and
    `operation`. `holder`: whether whoever holds that lock lives, since `holder_since`; `holder_text` says it in words.
    """

    last_heartbeat_at: datetime | None
    last_log_line: str
    last_log_at: datetime | None
    last_serial: int | None
    last_saved_at: datetime | None
    resources_after_last_serial: list[dict[str, str]]
    state_lock: dict[str, Any] | None
    holder: Life
    holder_since: datetime | None
    holder_text: str
    evidence: list[Evidence] = field(default_factory=list)


def of(task: Task) -> Aftermath | None:
    """Return it of a task that needs attention; None of any other. Raises `Unreadable`, and `TryAgain` as
    `completions.unsaved` does."""
    if task.status != Status.NEEDS_ATTENTION:
        return None
    attempt = attempts.newest_of(task)
    saved = StateVersion.objects.filter(task_id=task.pk).defer("sealed_content").order_by("-serial").first()
    return Aftermath(
        last_heartbeat_at=_last_heartbeat(task, attempt),
        **_log(attempt),
        last_serial=_serial(task),
        last_saved_at=saved.created_at if saved else None,
        resources_after_last_serial=_resources(attempt, saved),
        **_lock(task),
        evidence=evidence.of(task),
    )


def _last_heartbeat(task: Task, attempt: Attempt) -> datetime | None:
    """Return the last one before the agent was lost: one that comes back beats again, and has nothing in hand."""
    if lost := (task.reason or {}).get("evidence", {}).get("last_seen_at"):
        return datetime.fromisoformat(lost)
    return Agent.objects.filter(pk=attempt.agent_id).values_list("last_seen_at", flat=True).first()


def _log(attempt: Attempt) -> dict[str, Any]:
    line = log_lines.last(attempt)
    return {"last_log_line": line.text if line else "", "last_log_at": line.at if line else None}


def _serial(task: Task) -> int | None:
    newest = StateVersion.objects.filter(workspace_id=task.workspace_id).order_by("-serial")
    return newest.values_list("serial", flat=True).first()


def _resources(attempt: Attempt, saved: StateVersion | None) -> list[dict[str, str]]:
    found = completions.unsaved(completions.of(log_lines.of(attempt)), saved)
    return [_shown(each) for each in found[-MOST_RESOURCES:]]


def _shown(completed: Completion) -> dict[str, str]:
    return {"address": completed.address, "action": completed.action}


def _lock(task: Task) -> dict[str, Any]:
    held = StateLock.objects.filter(workspace_id=task.workspace_id).first()
    holder = lock_holders.of(held)
    words = {"holder": holder.life, "holder_since": holder.since, "holder_text": holder.text}
    return {"state_lock": None if held is None else _shown_lock(held), **words}


def _shown_lock(held: StateLock) -> dict[str, Any]:
    return {
        "holder": held.holder,
        "lock_id": held.lock_id,
        "since": held.created_at,
        "operation": str(held.info.get("Operation", "")),
    }
