"""An offer as its agent hears it, and the wake-up that brings it to the process that has the agent's socket."""

from typing import Any

from agents import protocol
from agents.protocol import Offer, ProtocolError
from iacplatform.base import wakeups
from tasks.attempts import ACCEPT_SECONDS
from tasks.models import Attempt


def word(task_id: int, epoch: int, phase: Any, slot: int) -> Offer:
    """Return what the agent is told."""
    return Offer(task=task_id, epoch=epoch, phase=phase, slot=slot, accept_seconds=ACCEPT_SECONDS)


def tell(attempt: Attempt) -> None:
    """Wake the agent that the attempt was offered to, after the commit; the wake-up brings the offer along."""
    offer = word(attempt.task_id, attempt.epoch, attempt.phase, attempt.slot)
    wakeups.wake(f"agent.{attempt.agent_id}", protocol.dump(offer))


def brought(text: str) -> Offer | None:
    """Return the offer that came with a wake-up; None where the rows have to be read.

    A process of another release may have sent something else.
    """
    try:
        offer = protocol.parse_from_server(text) if text else None
    except ProtocolError:
        return None
    return offer if isinstance(offer, Offer) else None
