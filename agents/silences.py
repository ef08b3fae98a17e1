"""When agents were not heard: written down when a silence ends, or the agent is given up. Evidence, no more."""

from datetime import datetime, timedelta

from agents.models import Agent, Silence
from agents.models.silence import Cause
from iacplatform.base import clock, heartbeats
from iacplatform.base.models import Beat

KEEP = timedelta(days=90)


def end(agent: Agent, cause: Cause) -> None:
    """Write down that the agent was silent until now, if it was. `agent`: its row, locked, as it was before."""
    seen = agent.last_seen_at
    if seen is None or seen > _patience_begins():
        return
    if not Silence.objects.filter(agent=agent, heard_at=None).update(heard_at=clock.DatabaseNow()):
        cause = cause if _could_be_heard() else Cause.OURS
        Silence.objects.create(agent=agent, silent_from=seen, heard_at=clock.DatabaseNow(), cause=cause)


def _could_be_heard() -> bool:
    """Return whether heartbeats could be stored for so long that a missing one is the agent's own, or its network's."""
    since = Beat.objects.receiving_since()
    return since is not None and since <= _patience_begins()


def _patience_begins() -> datetime:
    return clock.now() - timedelta(seconds=heartbeats.patience_seconds())


def give_up(agent: Agent) -> None:
    """Write down that the agent's lease ended and it was not heard of since. `agent`: its row, locked."""
    if agent.last_seen_at is not None:
        facts = {"silent_from": agent.last_seen_at, "cause": Cause.GIVEN_UP}
        Silence.objects.get_or_create(agent=agent, heard_at=None, defaults=facts)


def forget_old() -> None:
    """Delete what nobody asks for any more."""
    Silence.objects.filter(silent_from__lt=clock.now() - KEEP).delete()
