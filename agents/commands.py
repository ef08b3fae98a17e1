"""What an agent has to be told, read from the rows: its offers, the cancels of what it runs, and its order to leave."""

from dataclasses import dataclass, field
from typing import Any

from agents.models import Agent
from agents.protocol import Cancel, Drain, FromServer, Offer, Stop
from agents.sessions import Session
from iacplatform.base import clock
from pools.models import PoolToken
from tasks.attempts import ACCEPT_SECONDS
from tasks.models import Attempt, Task
from tasks.states import Lease, Stage

GRACE_SECONDS = 300
"""Between the one SIGINT and the kill (research: a second SIGINT, or an early kill, loses state)."""


@dataclass
class Told:
    """What this socket has said already, so that a hint that comes twice is no command twice."""

    words: set[tuple[str, int, int]] = field(default_factory=set)
    open: set[tuple[int, int]] = field(default_factory=set)

    def first_time(self, kind: str, task: int, epoch: int) -> bool:
        """Return whether this was not said before, and note it."""
        word = (kind, task, epoch)
        news = word not in self.words
        self.words.add(word)
        return news

    def forget(self) -> None:
        """Say everything again: news may have been lost."""
        self.words.clear()


def pending(session: Session, told: Told) -> list[FromServer]:
    """Return the words that the agent has not heard on this socket. Raises nothing but `DatabaseError`."""
    held = list(Task.objects.leased_by(session.agent_id).exclude(lease=Lease.RESERVED))
    words = [word for task in held for word in _for_task(task, told)]
    stopped = told.open - {(task.pk, task.epoch) for task in held}
    told.open = {(task.pk, task.epoch) for task in held}
    words += [_stop(*over) for over in sorted(stopped) if not _ended_by_itself(*over)]
    return words + _for_agent(session, told)


def is_revoked(session: Session) -> bool:
    """Return whether the pool token of this session lets nobody in any more."""
    return not PoolToken.objects.valid().filter(pk=session.token_id).exists()


def _for_task(task: Task, told: Told) -> list[FromServer]:
    if task.lease == Lease.OFFERED and told.first_time("offer", task.pk, task.epoch):
        return [_offer(task)]
    if task.stage == Stage.CANCELLING and told.first_time("cancel", task.pk, task.epoch):
        return [Cancel(task=task.pk, epoch=task.epoch, grace_seconds=GRACE_SECONDS)]
    return []


def _offer(task: Task) -> Offer:
    phase: Any = task.phase
    slot: Any = task.slot
    return Offer(task=task.pk, epoch=task.epoch, phase=phase, slot=slot, accept_seconds=ACCEPT_SECONDS)


def _stop(task_id: int, epoch: int) -> Stop:
    return Stop(task=task_id, epoch=epoch, reason="It is not this agent's any more.")


def _ended_by_itself(task_id: int, epoch: int) -> bool:
    """An attempt whose result came from the agent needs no word to stop."""
    return Attempt.objects.filter(task_id=task_id, epoch=epoch).exclude(exit_code=None).exists()


def _for_agent(session: Session, told: Told) -> list[FromServer]:
    draining = Agent.objects.filter(pk=session.agent_id, draining=True, lease_until__gt=clock.DatabaseNow()).exists()
    return [Drain()] if draining and told.first_time("drain", 0, 0) else []
