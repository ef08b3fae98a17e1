"""Heartbeats of agents that have no work and need to be told nothing, which is most of them: many in one transaction.

One by one each takes five statements, and two thousand agents more than one web process can do. What is not quiet
about an agent is left to `reports` and `commands`, which look at it alone.
"""

import asyncio
import logging
from collections.abc import Collection
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.db import transaction
from django.db.models import Exists, OuterRef

from agents import sessions
from agents.models import Agent
from agents.models.agent import Agents
from agents.sessions import Session
from pools.models import PoolToken
from tasks.models import Task
from tasks.states import Lease

GATHER_SECONDS = 0.05
"""After a transaction the next one waits for so long, for more heartbeats to go with it."""

MOST = 1000
"""In one transaction."""

Waiting = list[tuple[Session, asyncio.Future[bool]]]

log = logging.getLogger(__name__)


def store(beating: Collection[Session]) -> set[str]:
    """Prolong the leases of those of these sessions that are open and of which nothing else is to be seen; return them.

    Left out are agents that are late, hold a lease or have to leave, whose token lets nobody in, or whose row somebody
    else is just writing.
    """
    with transaction.atomic():
        locked = _quiet(beating).select_for_update(of=("self",), skip_locked=True, no_key=True)
        found = dict(locked.order_by().values_list("pk", "session"))
        Agent.objects.filter(pk__in=found).update(**sessions.lease())
    return set(found.values())


def _quiet(beating: Collection[Session]) -> Agents:
    ours = Agent.objects.filter(
        pk__in=[each.agent_id for each in beating], session__in=[each.session for each in beating]
    )
    # What is reserved there moves nothing now: it waits for a person.
    busy = Task.objects.leased_by(OuterRef("pk")).exclude(lease=Lease.RESERVED)
    welcome = PoolToken.objects.valid().filter(pk=OuterRef("pool_token_id"))
    return ours.in_time().filter(~Exists(busy), Exists(welcome), draining=False)


class Beats:
    """Those of one event loop. While one transaction runs, what comes meanwhile is gathered for the next."""

    def __init__(self) -> None:
        self._waiting: Waiting = []
        self._work: asyncio.Task[None] | None = None

    async def store(self, session: Session) -> bool:
        """Return whether the session's heartbeat is dealt with, and nothing is to be said to the agent."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((session, answer))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._store_all())
        return await answer

    async def _store_all(self) -> None:
        batch: Waiting = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                _answer(batch, await _stored([session for session, _ in batch]))
                await asyncio.sleep(GATHER_SECONDS)
        finally:
            # Where this was ended in the middle each is looked at alone, and nobody waits for ever.
            batch, self._waiting = batch + self._waiting, []
            _answer(batch, set())


def _answer(batch: Waiting, stored: set[str]) -> None:
    for session, answer in batch:
        if not answer.done():  # its socket may have closed
            answer.set_result(session.session in stored)


async def _stored(beating: Collection[Session]) -> set[str]:
    try:
        done: set[str] = await database_sync_to_async(store, thread_sensitive=False)(beating)
    except Exception:
        # One by one each is told what is wrong with it, or all of them that the database is away.
        log.warning("Heartbeats could not be stored together.", exc_info=True, extra={"agents": len(beating)})
        return set()
    return done


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Beats] = WeakKeyDictionary()


def of_running_loop() -> Beats:
    """Return the heartbeats of the running event loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), Beats())
