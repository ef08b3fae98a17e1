"""The fast path of dispatch: what this layer does about news, in the process and the call that made it."""

from typing import Any

from django.db.models import Exists, F, OuterRef

from agents import dispatcher, signals
from agents.models import Agent
from agents.models.agent import Agents
from iacplatform.base import wakeups
from iacplatform.base.prepared import Given, Prepared
from pools.models import PoolType
from pools.signals import pool_unfrozen
from tasks.models import Task
from tasks.signals import task_moved
from tasks.states import RUNNABLE, Event
from workspaces.signals import state_changed, workspace_changed

_FROM_AGENT = frozenset(
    {Event.ACCEPTED, Event.PLANNED, Event.UNCHANGED, Event.AUTO_APPLY, Event.APPLIED, Event.REFUSED}
)
"""Moves that the agent itself reported: it need not be told of them."""

_TOLD = _FROM_AGENT | {Event.OFFERED}
"""Moves that need no wake-up of ours: who makes an offer wakes its agent, and a second one would hold up its accept."""

_BUSY = frozenset({Event.OFFERED, Event.ACCEPTED})
"""Moves that free no slot and make nothing runnable."""


def connect() -> None:
    """Connect every receiver of this layer."""
    task_moved.connect(_after_move, dispatch_uid="agents.dispatcher")
    workspace_changed.connect(_after_workspace, dispatch_uid="agents.dispatcher")
    state_changed.connect(_after_workspace, dispatch_uid="agents.dispatcher")
    pool_unfrozen.connect(_after_thaw, dispatch_uid="agents.dispatcher")


def _after_move(task_id: int, event: str, status: str, agent_id: str, **news: Any) -> None:
    if agent_id and event not in _TOLD:
        wakeups.wake(f"agent.{agent_id}")
    if event in _BUSY or (event == Event.CANCEL and status == "running"):
        return
    pool_id, pool_type, is_awaited = _pool_of(agent_id)
    wanted = _wanted(task_id, news) if status in RUNNABLE else set()
    for wanted_id in {pool_id, *wanted} if is_awaited else wanted:
        dispatcher.try_dispatch(wanted_id, cause=event, task_id=task_id)
    if pool_id and pool_type == PoolType.K8S:
        signals.announce(signals.demand_changed, pool_id)


def _wanted(task_id: int, news: dict[str, Any]) -> set[str | None]:
    return {news["pool_id"]} if "pool_id" in news else Task.objects.filter(pk=task_id).pool_ids()


def _pool_of(agent_id: str) -> tuple[str | None, str, bool]:
    """Return the agent's pool with its type, and whether a task waits for a slot there.

    One that comes to wait after this look is dispatched by its own news, which finds the slot that became free before.
    """
    agent: Any = _agent_with_its_pool.first(agent_id=agent_id) if agent_id else None
    return (agent.pool_id, agent.pool_type, agent.is_awaited) if agent else (None, "", False)


@Prepared
def _agent_with_its_pool() -> Agents:
    waiting = Task.objects.runnable().for_pool(OuterRef("pool_id"))
    agents = Agent.objects.filter(pk=Given.text("agent_id"))
    return agents.annotate(pool_type=F("pool__pool_type"), is_awaited=Exists(waiting))


def _after_workspace(workspace_id: str, **news: Any) -> None:
    for pool_id in Task.objects.runnable().filter(workspace_id=workspace_id).pool_ids():
        dispatcher.try_dispatch(pool_id, cause="workspace")


def _after_thaw(pool_id: str, **news: Any) -> None:
    dispatcher.try_dispatch(pool_id, cause="unfrozen")
