"""Who is connected: a session opens with a hello, lives by heartbeats, and ends when another one takes it over."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from agents import dispatcher, protocol
from agents.models import Agent
from agents.protocol import Hello, Refused, Welcome, Work
from iacplatform.base import clock, ids
from pools.models import PoolToken
from tasks import recovery
from tasks.models import Attempt, Task
from tasks.states import Lease

FORGOTTEN_SECONDS = 30
"""A running task that its agent has not listed for this long after it accepted is not known there any more."""


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
    token = PoolToken.objects.matching(text).valid().select_related("pool").first()
    if token is not None:
        PoolToken.objects.filter(pk=token.pk).update(last_used_at=clock.DatabaseNow())
    return token


def open_session(token: PoolToken, hello: Hello) -> tuple[Session, Welcome]:
    """Return a new session of the agent and its welcome. Raises `Rejected` with a sentence for the agent's operator."""
    version = next((known for known in protocol.VERSIONS if known in hello.versions), None)
    if version is None:
        message = f"This server speaks protocol {', '.join(protocol.VERSIONS)}; update the agent."
        raise Rejected("version", message, retry=False)
    _demand_sense(hello)
    with transaction.atomic():
        agent = _register(token, hello)
    session = Session(
        agent_id=agent.pk, agent_name=agent.name, pool_id=agent.pool_id, token_id=token.pk, session=agent.session
    )
    keep = _reconcile(agent, hello.work)
    dispatcher.try_dispatch(agent.pool_id, cause="agent_connected")
    return session, Welcome(
        version=version,
        agent_id=agent.pk,
        session=agent.session,
        heartbeat_seconds=protocol.HEARTBEAT_SECONDS,
        keep=keep,
    )


def heartbeat(session: Session, work: tuple[Work, ...]) -> list[Work]:
    """Prolong the lease; return the work that is no longer the agent's. Raises `Rejected` when the session is over."""
    mine = Agent.objects.filter(pk=session.agent_id, session=session.session)
    beat = {"last_seen_at": clock.DatabaseNow(), "lease_until": clock.In(seconds=protocol.LEASE_SECONDS)}
    if not mine.update(**beat):
        raise Rejected("session_over", "Another connection of this agent took over.", retry=False)
    if not PoolToken.objects.valid().filter(pk=session.token_id).exists():
        raise Rejected(
            "token_revoked", "The pool token was revoked or has expired; give the agent a new one.", retry=False
        )
    return _compare(session, work)


def close(session: Session) -> None:
    """The socket is gone. The slots stay until the lease ends: a dropped connection is no death."""
    Agent.objects.filter(pk=session.agent_id, session=session.session).update(session="")


def drain(session: Session) -> None:
    """The agent takes nothing new from now on."""
    Agent.objects.filter(pk=session.agent_id).update(draining=True)


def _demand_sense(hello: Hello) -> None:
    if not 1 <= hello.capacity <= 64:
        raise Rejected("capacity", "An agent has 1 to 64 slots.", retry=False)
    if not ids.NAME.fullmatch(hello.name) or not ids.NAME.fullmatch(hello.instance):
        message = "An agent's name has 1 to 90 letters, digits, dashes and underscores, and no leading dash."
        raise Rejected("name", message, retry=False)


def _register(token: PoolToken, hello: Hello) -> Agent:
    agent, _ = Agent.objects.select_for_update(of=("self",)).get_or_create(
        pool_id=token.pool_id, name=hello.name, defaults={"instance": hello.instance}
    )
    if agent.instance != hello.instance and agent.lease_until > clock.now():
        message = (
            f"Another agent named {hello.name} is connected to pool {token.pool.name}; give this one another name."
        )
        raise Rejected("name_taken", message, retry=True)
    if agent.instance != hello.instance:
        _lose_all(agent, "Another agent took its name.")
    columns = {
        "instance": hello.instance,
        "session": ids.new("s-", 20),
        "pool_token": token,
        "pod_name": hello.pod_name,
        "capacity": hello.capacity,
        "engines": [{"name": engine.name, "version": engine.version} for engine in hello.engines],
        "os": hello.os[:20],
        "arch": hello.arch[:20],
        "version": hello.agent_version[:40],
        "draining": False,
    }
    times = {"connected_at": clock.DatabaseNow(), "last_seen_at": clock.DatabaseNow()}
    lease = {"lease_until": clock.In(seconds=protocol.LEASE_SECONDS)}
    Agent.objects.filter(pk=agent.pk).update(**columns, **times, **lease)
    agent.refresh_from_db()
    return agent


def _reconcile(agent: Agent, work: tuple[Work, ...]) -> tuple[Work, ...]:
    """Return what the agent may go on with; what it runs no more is lost at once, not after a lease."""
    listed = {(item.task, item.epoch) for item in work}
    for task in Task.objects.leased_by(agent.pk).filter(lease=Lease.RUNNING):
        if (task.pk, task.epoch) not in listed:
            _lose(task, agent, "The agent came back without it.")
    for task in Task.objects.leased_by(agent.pk).filter(slot__gte=agent.capacity):
        _lose(task, agent, "The agent came back with fewer slots.")
    keep = tuple(item for item in work if _is_current(agent.pk, item))
    for item in keep:
        recovery.slot_regained(item.task, item.epoch, agent.pk)
    return keep


def _is_current(agent_id: str, item: Work) -> bool:
    """A result may still come for an attempt that has not ended, even when its lease is gone (`needs_attention`)."""
    current = Attempt.objects.filter(task_id=item.task, epoch=item.epoch, agent_id=agent_id, task__epoch=item.epoch)
    return current.filter(ended_at=None).exists()


def _compare(session: Session, work: tuple[Work, ...]) -> list[Work]:
    listed = {(item.task, item.epoch) for item in work}
    _lose_forgotten(session, listed)
    current = set(Attempt.objects.filter(agent_id=session.agent_id, ended_at=None).values_list("task_id", "epoch"))
    return [Work(task=task, epoch=epoch) for task, epoch in listed - current]


def _lose_forgotten(session: Session, listed: set[tuple[int, int]]) -> None:
    running = Attempt.objects.filter(agent_id=session.agent_id, ended_at=None, task__lease=Lease.RUNNING)
    for attempt in running.filter(accepted_at__lt=clock.In(seconds=-FORGOTTEN_SECONDS)).select_related("task"):
        if (attempt.task_id, attempt.epoch) not in listed:
            cause = "The agent does not know of it any more."
            recovery.slot_lost(attempt.task_id, session.agent_id, cause=cause, last_seen=None)


def _lose_all(agent: Agent, cause: str) -> None:
    for task in Task.objects.leased_by(agent.pk):
        _lose(task, agent, cause)


def _lose(task: Task, agent: Agent, cause: str) -> None:
    recovery.slot_lost(task.pk, agent.pk, cause=cause, last_seen=agent.last_seen_at)
