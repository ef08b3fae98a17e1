"""What an agent has to be told, read from the rows: its offers, the cancels of what it runs, and its order to leave."""

from dataclasses import dataclass, field
from typing import Any

from agents import sessions
from agents.models import Agent
from agents.protocol import Cancel, Drain, FromServer, Offer, Stop
from agents.sessions import Session
from tasks.attempts import ACCEPT_SECONDS
from tasks.models import Attempt, Task
from tasks.states import Lease, Stage

GRACE_SECONDS = 300
"""Between the one SIGINT and the kill (research: a second SIGINT, or an early kill, loses state)."""

Pair = tuple[int, int]
"""An attempt by task and epoch."""


@dataclass
class Told:
    """What this socket has said already, so that a hint that comes twice is no command twice."""

    offered: set[Pair] = field(default_factory=set)
    cancelled: set[Pair] = field(default_factory=set)
    held: set[Pair] = field(default_factory=set)  # what the agent had when it was last told something
    to_leave: bool = False


def pending(session: Session, told: Told) -> list[FromServer]:
    """Return the words that the agent has not heard on this socket.

    Raises `Rejected` when the session is over or its token revoked: the agent hears nothing more then.
    """
    agent = _standing(session)
    held = {(task.pk, task.epoch): task for task in _held(session)}
    words: list[FromServer] = [_offer(held[pair]) for pair in held.keys() - told.offered if _is_offered(held[pair])]
    words += [_cancel(*pair) for pair in held.keys() - told.cancelled if held[pair].stage == Stage.CANCELLING]
    words += [_stop(*pair) for pair in sorted(told.held - held.keys()) if not _ended_by_itself(*pair)]
    words += [Drain()] if agent.draining and not told.to_leave else []
    _note(told, held, agent)
    return words


def _standing(session: Session) -> Agent:
    mine = Agent.objects.filter(pk=session.agent_id, session=session.session)
    agent = mine.with_right_to_speak(session.token_id).first()
    if agent is None:
        raise sessions.over()
    if not agent.may_speak:
        raise sessions.revoked()
    return agent


def _held(session: Session) -> list[Task]:
    return list(Task.objects.leased_by(session.agent_id).exclude(lease=Lease.RESERVED).order_by("id"))


def _note(told: Told, held: dict[Pair, Task], agent: Agent) -> None:
    told.held = set(held)
    told.offered = {pair for pair in held if _is_offered(held[pair])}
    told.cancelled = {pair for pair in held if held[pair].stage == Stage.CANCELLING}
    told.to_leave = agent.draining


def _is_offered(task: Task) -> bool:
    return task.lease == Lease.OFFERED


def _offer(task: Task) -> Offer:
    phase: Any = task.phase
    slot: Any = task.slot
    return Offer(task=task.pk, epoch=task.epoch, phase=phase, slot=slot, accept_seconds=ACCEPT_SECONDS)


def _cancel(task_id: int, epoch: int) -> Cancel:
    return Cancel(task=task_id, epoch=epoch, grace_seconds=GRACE_SECONDS)


def _stop(task_id: int, epoch: int) -> Stop:
    return Stop(task=task_id, epoch=epoch, reason="It is not this agent's any more.")


def _ended_by_itself(task_id: int, epoch: int) -> bool:
    """An attempt whose result came from the agent needs no word to stop."""
    return Attempt.objects.filter(task_id=task_id, epoch=epoch).exclude(exit_code=None).exists()
