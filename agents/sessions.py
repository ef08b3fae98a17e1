"""Who is connected: a session opens with a hello, lives by heartbeats, and ends when another one takes it over."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Q

from agents import admission, dispatcher, protocol, signals, silences, work
from agents.models import Agent
from agents.models.agent import Agents
from agents.models.silence import Cause
from agents.protocol import Hello, Refused, Welcome, Work
from iacplatform.base import clock, heartbeats, ids, wakeups
from pools.models import PoolToken
from tasks.models import Task

NOTED_SECONDS = 60
"""A token's use is noted so often: agents that come back all at once must not wait for one another at its row."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """An open socket's right to speak for an agent."""

    agent_id: str
    agent_name: str
    pool_id: str
    token_id: int
    session: str

    def log_fields(self) -> dict[str, Any]:
        """Return the facts that a log line about this session carries."""
        return {"agent": self.agent_name, "pool": self.pool_id, "session": self.session}


class Rejected(Exception):
    """The agent may not speak; `word` says why, in the protocol's terms."""

    def __init__(self, code: str, message: str, *, retry: bool) -> None:
        super().__init__(message)
        self.word = Refused(code=code, message=message, retry=retry)


def token_of(text: str) -> PoolToken | None:
    """Return the valid pool token of this text, and note that it was used."""
    token = PoolToken.objects.matching(text).valid().select_related("pool", "pod").first()
    if token is not None:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=clock.In(seconds=-NOTED_SECONDS))
        PoolToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=clock.DatabaseNow())
    return token


def open_session(token: PoolToken, hello: Hello) -> tuple[Session, Welcome]:
    """Return a new session of the agent and its welcome. Raises `Rejected` with a sentence for the agent's operator."""
    version = _version(hello.versions)
    _demand_sense(hello)
    if fault := admission.fault(token, hello):
        raise Rejected("pod", fault, retry=False)
    with transaction.atomic():
        agent = _register(token, hello, is_leaving=token.pod is not None and admission.arrive(token.pod))
    keep = work.take_stock(agent, hello.work)
    dispatcher.try_dispatch(agent.pool_id, cause="agent_connected")
    if token.pod is not None:
        signals.announce(signals.demand_changed, agent.pool_id)
    return _session(agent, token), Welcome(
        version=version,
        agent_id=agent.pk,
        session=agent.session,
        heartbeat_seconds=heartbeats.interval_seconds(),
        keep=keep,
    )


def demand_version(text: str) -> None:
    """Raise `Rejected` where a hello that cannot be read is one of a protocol that this server does not speak."""
    try:
        versions = json.loads(text)["versions"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    if isinstance(versions, list):
        _version(versions)


def mine(session: Session) -> Agents:
    """Return the agent of the session, none where another connection speaks for it now."""
    return Agent.objects.filter(pk=session.agent_id, session=session.session)


def may_speak(session: Session) -> Exists:
    """Return the condition, for a query, that no other connection speaks for the agent now, and its token counts."""
    return Exists(mine(session).filter(Exists(PoolToken.objects.valid().filter(pk=session.token_id))))


def demand_open(session: Session) -> None:
    """Raise `Rejected` when another connection speaks for the agent now: two of one name must not both start a task."""
    if not mine(session).exists():
        raise over()


def demand_token(session: Session) -> None:
    """Raise `Rejected` when the pool token of this session lets nobody in any more."""
    if not PoolToken.objects.valid().filter(pk=session.token_id).exists():
        raise revoked()


def heartbeat(session: Session, listed: tuple[Work, ...]) -> list[Work]:
    """Prolong the lease; return the work that is no longer the agent's. Raises `Rejected` when the session is over."""
    if not mine(session).in_time().update(**lease()) and not _beat_late(mine(session)):
        raise over()
    demand_token(session)
    return work.compare(session.agent_id, listed)


def lease() -> dict[str, Any]:
    """Return what a heartbeat writes."""
    return {"last_seen_at": clock.DatabaseNow(), "lease_until": clock.In(seconds=settings.AGENT_LEASE_SECONDS)}


def _beat_late(agents: Agents) -> bool:
    """Take a heartbeat after a silence; return whether the session is still open."""
    with transaction.atomic():
        agent = agents.select_for_update(no_key=True).first()
        if agent is not None:
            silences.end(agent, Cause.LATE)
        return bool(agents.update(**lease()))


def close(session: Session) -> None:
    """The socket is gone. The slots stay until the lease ends: a dropped connection is no death.

    But an agent that said that it leaves, and holds nothing, has gone; its name is free at once.
    """
    mine(session).update(session="")
    if not Task.objects.leased_by(session.agent_id).exists():
        gone = Agent.objects.filter(pk=session.agent_id, session="", draining=True)
        gone.update(lease_until=clock.DatabaseNow())


def leave(session: Session) -> None:
    """The agent takes nothing new from now on: what is only offered to it or kept on it goes elsewhere at once."""
    work.drain(session.agent_id, f"Agent {session.agent_name} is leaving.")


def over() -> Rejected:
    return Rejected("session_over", "Another connection of this agent took over.", retry=False)


def revoked() -> Rejected:
    message = "The pool token was revoked or has expired; give the agent a new one."
    return Rejected("token_revoked", message, retry=False)


def _version(offered: Collection[Any]) -> str:
    """Return the newest version that both speak."""
    known = next((version for version in protocol.VERSIONS if version in offered), None)
    if known is None:
        ours, theirs = ", ".join(protocol.VERSIONS), ", ".join(str(each)[:20] for each in list(offered)[:9]) or "none"
        message = f"This server speaks protocol {ours}, the agent {theirs}: update the older one of the two."
        raise Rejected("version", message, retry=False)
    return known


def _session(agent: Agent, token: PoolToken) -> Session:
    return Session(
        agent_id=agent.pk, agent_name=agent.name, pool_id=agent.pool_id, token_id=token.pk, session=agent.session
    )


def _demand_sense(hello: Hello) -> None:
    if not 1 <= hello.capacity <= 64:
        raise Rejected("capacity", "An agent has 1 to 64 slots.", retry=False)
    if not ids.NAME.fullmatch(hello.name) or not ids.NAME.fullmatch(hello.instance) or len(hello.instance) > 64:
        message = "An agent's name has 1 to 90 letters, digits, dashes and underscores, and no leading dash."
        raise Rejected("name", message, retry=False)
    if len(hello.pod_name) > 253:
        raise Rejected("pod_name", "A pod's name has 253 characters at most.", retry=False)


def _register(token: PoolToken, hello: Hello, *, is_leaving: bool) -> Agent:
    agent, _ = Agent.objects.select_for_update(of=("self",)).get_or_create(
        pool_id=token.pool_id, name=hello.name, defaults={"instance": hello.instance}
    )
    if agent.instance != hello.instance:
        _take_name(agent, token)
    silences.end(agent, _why_silent(agent, hello))
    draining = is_leaving or _stays_draining(agent, hello)
    Agent.objects.filter(pk=agent.pk).update(**_columns(token, hello), draining=draining)
    agent.refresh_from_db()
    wakeups.wake(f"agent.{agent.pk}")  # whoever spoke for it so far finds its session gone
    return agent


def _take_name(agent: Agent, token: PoolToken) -> None:
    """Give the name of an agent that was silent for a whole lease to another one; `Rejected` while it may live."""
    if agent.lease_until > clock.now():
        message = f"Another agent of pool {token.pool.name} is named {agent.name}; give this one another name."
        raise Rejected("name_taken", message, retry=True)
    for task in Task.objects.leased_by(agent.pk):
        work.lose(task, agent.pk, "Another agent took its name.", last_seen=agent.last_seen_at)


def _why_silent(agent: Agent, hello: Hello) -> Cause:
    if agent.instance != hello.instance:
        return Cause.NAME_TAKEN
    return Cause.REPLACED if agent.session else Cause.RECONNECTED


def _columns(token: PoolToken, hello: Hello) -> dict[str, Any]:
    return {
        "instance": hello.instance,
        "session": ids.new("s-", 20),
        "pool_token": token,
        "pod_name": hello.pod_name,
        "capacity": hello.capacity,
        "engines": [{"name": engine.name, "version": engine.version} for engine in hello.engines],
        "fetches": list(hello.fetches),
        "os": hello.os[:20],
        "arch": hello.arch[:20],
        "version": hello.agent_version[:40],
        "connected_at": clock.DatabaseNow(),
        **lease(),
    }


def _stays_draining(agent: Agent, hello: Hello) -> bool:
    """A drained agent that comes back with work has only lost its connection; a drained pod is going to be deleted."""
    return agent.draining and agent.instance == hello.instance and bool(hello.work or hello.pod_name)
