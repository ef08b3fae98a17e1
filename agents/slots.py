"""The slots of agents: free, or held by which task. A slot is no row: the tasks' leases say it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from agents import work
from agents.models import Agent
from iacplatform.base import wakeups
from tasks.models import Task
from tasks.states import Lease


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One slot. `state`: free, offered, running, reserved or draining; `task` holds it, or is None."""

    index: int
    state: str
    task: Task | None = None

    @property
    def task_id(self) -> int | None:
        """Whose slot it is."""
        return self.task.pk if self.task else None


def by_agent(agents: Iterable[Agent]) -> dict[str, list[Slot]]:
    """Return the slots of each agent by its id: one query, however many agents.

    Whoever sees an agent sees which tasks hold its slots; the tasks' own pages ask again.
    """
    known = {agent.pk: agent for agent in agents}
    held: dict[str, dict[int, Task]] = defaultdict(dict)
    leased = Task.objects.exclude(lease=Lease.NONE).filter(agent_id__in=known)
    for task in leased.select_related("workspace"):
        held[task.agent_id][task.slot or 0] = task
    return {agent_id: _of(agent, held[agent_id]) for agent_id, agent in known.items()}


def drain(agent: Agent) -> None:
    """Let the agent take nothing new, finish what it runs, and leave. Its other slots drain at once."""
    work.drain(agent.pk, f"Agent {agent.name} is drained.")
    wakeups.wake(f"agent.{agent.pk}")


def _of(agent: Agent, held: dict[int, Task]) -> list[Slot]:
    free = "draining" if agent.draining else "free"
    # An agent may come back with fewer slots than its leases were given.
    indexes = sorted({*range(agent.capacity), *held})
    return [_slot(index, held.get(index), free) for index in indexes]


def _slot(index: int, task: Task | None, free: str) -> Slot:
    return Slot(index=index, state=task.lease if task else free, task=task)
