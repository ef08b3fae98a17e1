"""Which engines an agent has: its hello says all of them, and a heartbeat does when they have become others."""

from dataclasses import asdict

from agents import dispatcher, sessions
from agents.protocol import Engine
from agents.sessions import Session


def renew(session: Session, engines: tuple[Engine, ...]) -> None:
    """Note what the agent of this session has now; tasks that waited for an engine are looked at at once."""
    if sessions.mine(session).update(engines=[asdict(engine) for engine in engines]):
        dispatcher.try_dispatch(session.pool_id, cause="engines_changed")
