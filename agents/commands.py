"""What an agent has to be told: its offers, the cancels of what it runs, what it is to stop, and its order to leave.

All of it is read from the rows. Only an offer may come with its wake-up.
"""

from dataclasses import dataclass, field

from agents import offers, sessions
from agents.holds import Hold
from agents.models import Agent
from agents.models.agent import Agents
from agents.protocol import Cancel, Drain, FromServer, Offer, Stop
from agents.sessions import Session
from iacplatform.base.prepared import Given, Prepared
from tasks.models import Attempt

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
    held = {(hold.task, hold.epoch): hold for hold in agent.holds if not hold.is_kept}
    unheard = [hold for pair, hold in held.items() if hold.is_offered and pair not in told.offered]
    # First what makes room: an agent whose slots are all taken, as far as it knows, takes no offer.
    words: list[FromServer] = [_stop(*pair) for pair in sorted(told.held - held.keys()) if not _ended_by_itself(*pair)]
    words += [_cancel(*pair) for pair in held.keys() - told.cancelled if held[pair].is_cancelled]
    words += [offers.word(hold.task, hold.epoch, hold.phase, hold.slot) for hold in unheard]
    words += [Drain()] if agent.draining and not told.to_leave else []
    _note(told, held, agent)
    return words


def passed_on(offer: Offer, told: Told) -> list[FromServer]:
    """Return an offer that came with its wake-up, unless the agent has heard it on this socket.

    Nothing is read: whether it still stands, and who may take it, is looked at when it is accepted.
    """
    pair = (offer.task, offer.epoch)
    if pair in told.held:
        return []
    told.held.add(pair)
    told.offered.add(pair)
    return [offer]


def _standing(session: Session) -> Agent:
    names = {"agent_id": session.agent_id, "session": session.session, "token_id": session.token_id}
    agent = _agent_of_session.first(**names)
    if agent is None:
        raise sessions.over()
    if not agent.may_speak:
        raise sessions.revoked()
    return agent


@Prepared
def _agent_of_session() -> Agents:
    mine = Agent.objects.filter(pk=Given.text("agent_id"), session=Given.text("session"))
    return mine.with_right_to_speak(Given.number("token_id")).with_holds()


def _note(told: Told, held: dict[Pair, Hold], agent: Agent) -> None:
    told.held = set(held)
    told.offered = {pair for pair in held if held[pair].is_offered}
    told.cancelled = {pair for pair in held if held[pair].is_cancelled}
    told.to_leave = agent.draining


def _cancel(task_id: int, epoch: int) -> Cancel:
    return Cancel(task=task_id, epoch=epoch, grace_seconds=GRACE_SECONDS)


def _stop(task_id: int, epoch: int) -> Stop:
    return Stop(task=task_id, epoch=epoch, reason="It is not this agent's any more.")


def _ended_by_itself(task_id: int, epoch: int) -> bool:
    """An attempt whose result came from the agent needs no word to stop."""
    return Attempt.objects.filter(task_id=task_id, epoch=epoch).exclude(exit_code=None).exists()
