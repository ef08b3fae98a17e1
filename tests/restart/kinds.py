"""Tasks in every status and stage, each made by the verbs that everyone calls, and what a restart must make of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agents.models import Agent
from tasks import cancellation
from tasks.models import Task
from tests.tasks import factories
from workspaces import locks
from workspaces.models import Workspace

Maker = Callable[[Workspace, Agent], Task]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`ends`: status in which it comes to rest without a person, `reason` why it waits there.

    `applies`: how often an apply is started for it after the restart. `attempts`: of its last phase; 0: any number.
    `on_dead_agent`: it runs on an agent that never comes back. `is_still`: the restart changes nothing of it at all.
    """

    make: Maker
    ends: str
    reason: str = ""
    applies: int = 0
    attempts: int = 0
    on_dead_agent: bool = False
    is_still: bool = False


def _behind(head: Callable[..., Task]) -> Maker:
    def made(workspace: Workspace, on: Agent) -> Task:
        head(workspace=workspace, **({} if head is factories.pending else {"on": on}))
        return factories.pending(workspace=workspace)

    return made


def _on_agent(make: Callable[..., Task]) -> Maker:
    return lambda workspace, on: make(workspace=workspace, on=on)


def _without_agent(make: Callable[..., Task]) -> Maker:
    return lambda workspace, on: make(workspace=workspace)


def _locked(workspace: Workspace, on: Agent) -> Task:
    locks.lock(workspace, by=factories.person(), reason="Hands off.")
    return factories.pending(workspace=workspace)


def _confirmed_and_locked(workspace: Workspace, on: Agent) -> Task:
    task = factories.confirmed(workspace=workspace, on=on)
    locks.lock(workspace, by=factories.person(), reason="Hands off.")
    return task


def _unreserved(make: Callable[..., Task]) -> Maker:
    return lambda workspace, on: factories.lose(make(workspace=workspace, on=on))


def _stale(workspace: Workspace, on: Agent) -> Task:
    task = factories.awaiting_confirmation(workspace=workspace, on=on)
    factories.upload_state(workspace.pk)
    return factories.reread(task)


def _offered_apply(workspace: Workspace, on: Agent) -> Task:
    return factories.offered(factories.confirmed(workspace=workspace, on=on), on=on)


def _unpermitted(workspace: Workspace, on: Agent) -> Task:
    return factories.applying(workspace=workspace, on=on, permitted=False)


def _cancelled_apply(workspace: Workspace, on: Agent) -> Task:
    task = factories.applying(workspace=workspace, on=on)
    cancellation.cancel(task, by=factories.person())
    return factories.reread(task)


def _comes_to_its_plan(make: Maker, **facts: Any) -> Kind:
    return Kind(make=make, ends="apply_pending", reason="awaiting_confirmation", **facts)


def _comes_to_its_apply(make: Maker, **facts: Any) -> Kind:
    return Kind(make=make, ends="applied", applies=1, **facts)


def _is_still(make: Maker, ends: str) -> Kind:
    return Kind(make=make, ends=ends, is_still=True)


KINDS: dict[str, Kind] = {
    "waiting behind a new task": Kind(make=_behind(factories.pending), ends="waiting", reason="queued_behind"),
    "waiting behind a plan": Kind(make=_behind(factories.planning), ends="waiting", reason="queued_behind"),
    "waiting behind an apply": _comes_to_its_plan(_behind(factories.applying)),
    "waiting for an unlock": Kind(make=_locked, ends="waiting", reason="workspace_locked"),
    "pending": _comes_to_its_plan(_without_agent(factories.pending)),
    "plan offered": _comes_to_its_plan(_on_agent(factories.offered)),
    "planning": _comes_to_its_plan(_on_agent(factories.planning), attempts=1),
    "plan cancelling": Kind(make=_on_agent(factories.cancelling), ends="cancelled"),
    "backing off": _comes_to_its_plan(_on_agent(factories.backing_off), attempts=2),
    "planning on a dead agent": _comes_to_its_plan(_on_agent(factories.planning), on_dead_agent=True, attempts=2),
    "awaiting confirmation": _comes_to_its_plan(_on_agent(factories.awaiting_confirmation)),
    "awaiting it without a slot": Kind(
        make=_unreserved(factories.awaiting_confirmation), ends="apply_pending", reason="reservation_lost"
    ),
    "stale": Kind(make=_stale, ends="apply_pending", reason="plan_stale"),
    "stale, and nobody heard of it": Kind(make=_on_agent(factories.stale), ends="apply_pending", reason="plan_stale"),
    "confirmed": _comes_to_its_apply(_on_agent(factories.confirmed)),
    "confirmed without a slot": _comes_to_its_apply(_unreserved(factories.confirmed)),
    "confirmed and locked": Kind(make=_confirmed_and_locked, ends="confirmed", reason="workspace_locked"),
    "apply offered": _comes_to_its_apply(_offered_apply),
    "applying before the permit": _comes_to_its_apply(_unpermitted, attempts=1),
    "applying": Kind(make=_on_agent(factories.applying), ends="applied", attempts=1),
    "apply cancelling": Kind(make=_cancelled_apply, ends="cancelled", attempts=1),
    "unpermitted on a dead agent": _comes_to_its_apply(_unpermitted, on_dead_agent=True, attempts=2),
    "applying on a dead agent": Kind(
        make=_on_agent(factories.applying), on_dead_agent=True, ends="needs_attention", reason="agent_lost"
    ),
    "needing attention": Kind(make=_on_agent(factories.needing_attention), ends="needs_attention", reason="agent_lost"),
    "success": _is_still(_on_agent(factories.succeeded), "success"),
    "applied": _is_still(_on_agent(factories.applied), "applied"),
    "failed": _is_still(_on_agent(factories.failed), "failed"),
    "discarded": _is_still(_on_agent(factories.discarded), "discarded"),
    "cancelled": _is_still(_without_agent(factories.cancelled), "cancelled"),
}
