"""Which engines an agent has: its hello says all of them, and a heartbeat does when they have become others."""

from dataclasses import asdict

from agents import dispatcher
from agents.models import Agent
from agents.protocol import Engine
from agents.sessions import Session


def renew(session: Session, engines: tuple[Engine, ...]) -> None:
    """Note what the agent of this session has now; tasks that waited for an engine are looked at at once."""
    mine = Agent.objects.filter(pk=session.agent_id, session=session.session)
    if mine.update(engines=[asdict(engine) for engine in engines]):
        dispatcher.try_dispatch(session.pool_id, cause="engines_changed")
