"""The faults done to pods, nodes and cluster, each undone when its time is over."""

import asyncio
import os
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

import httpx

from tests import processes
from tests.chaos.faults import Fault
from tests.chaos.fleet.faults import AILMENTS, BUSY, NEWEST, OF_MAKING, OLDEST
from tests.chaos.fleet.stage import LEAST, MOST, Fleet, is_engine
from tests.chaos.proxy import Door
from tests.chaos.trouble import in_time
from tests.cluster.api import Refused
from tests.cluster.pod_life import PodLife
from tests.waiting import until

AGENT = "agents.runner"
RESIZE_SECONDS = 90.0
"""A web server that is killed, or frozen, answers after half a minute."""

Deed = Callable[[str], AbstractAsyncContextManager[None]]


class FleetTrouble:
    """Carries a plan of faults out; `door` is the pods' way to the platform. `done`: how often each kind was."""

    def __init__(self, fleet: Fleet, door: Door) -> None:
        self._fleet, self._door = fleet, door
        self.done: Counter[str] = Counter()
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._deeds: dict[str, Deed] = {
            "kill pod": self._killed,
            "delete pod": self._deleted,
            "delete pod at once": partial(self._deleted, grace=0),
            "freeze pods": self._frozen,
            "lose node": self._lost,
            "crash node": self._crashed,
            "pods cut": partial(self._broken, door.cut),
            "pods stall": partial(self._broken, door.stall),
            "pods half-open": partial(self._broken, door.fall_silent),
            "kill api server": self._without_api_server,
            "shrink pool": self._shrunk,
            **{name: partial(self._ailing, name) for name in AILMENTS},
            **{name: partial(self._ailing_at_work, name) for name in OF_MAKING},
        }

    async def rage(self, faults: Sequence[Fault]) -> None:
        """Do all of it in its time; return when the last one is undone."""
        await in_time(faults, self._one)
        self._fleet.cluster.proxy.heal()

    async def _one(self, fault: Fault) -> None:
        async with self._deeds[fault.kind](fault.target):
            self.done[fault.kind] += 1
            await asyncio.sleep(fault.seconds)  # as long as the fault lasts: its length is drawn with it

    @asynccontextmanager
    async def _killed(self, which: str) -> AsyncIterator[None]:
        """Kill the agent of a pod: with the first process of a container all others end."""
        await asyncio.to_thread(self._kill, which)
        yield

    @asynccontextmanager
    async def _deleted(self, which: str, grace: int | None = None) -> AsyncIterator[None]:
        """Delete a pod behind the platform's back."""
        await asyncio.to_thread(self._delete, which, grace)
        yield

    @asynccontextmanager
    async def _frozen(self, node: str) -> AsyncIterator[None]:
        """Stop whatever runs in our pods on a node."""
        pids = await asyncio.to_thread(self._running_on, node)
        _signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)

    @asynccontextmanager
    async def _lost(self, node: str) -> AsyncIterator[None]:
        """Let a node fall silent; its pods run on."""
        async with self._one_at_a_time[node]:
            await asyncio.to_thread(self._fleet.nodes[int(node)].lose)
            yield
            await asyncio.to_thread(self._fleet.nodes[int(node)].come_back)

    @asynccontextmanager
    async def _crashed(self, node: str) -> AsyncIterator[None]:
        """Let a machine lose its power, and start again."""
        async with self._one_at_a_time[node]:
            await asyncio.to_thread(self._fleet.nodes[int(node)].crash)
            yield
            await asyncio.to_thread(self._fleet.nodes[int(node)].come_back)

    @asynccontextmanager
    async def _broken(self, break_it: Callable[[], None], _: str) -> AsyncIterator[None]:
        """Break the way from the pods to the platform."""
        break_it()
        yield
        self._door.mend()

    @asynccontextmanager
    async def _ailing(self, name: str, _: str) -> AsyncIterator[None]:
        """Let calls to the cluster fail; those that hang do so until the caller gives up."""
        proxy = self._fleet.cluster.proxy
        rules = [proxy.fault(fault, method=method, times=None) for method, fault in AILMENTS[name]]
        proxy.sever()
        yield
        for rule in rules:
            rule.remove()

    @asynccontextmanager
    async def _ailing_at_work(self, name: str, target: str) -> AsyncIterator[None]:
        async with self._ailing(name, target), self._deleted(NEWEST, grace=0):
            yield

    @asynccontextmanager
    async def _without_api_server(self, name: str) -> AsyncIterator[None]:
        async with self._one_at_a_time[name]:
            self._fleet.control_plane.api_server.kill()
            yield
            await asyncio.to_thread(self._fleet.control_plane.until_ready)

    @asynccontextmanager
    async def _shrunk(self, name: str) -> AsyncIterator[None]:
        """Let a person lower the pool's maximum, below the pods that hold leases perhaps, and raise it again."""
        async with self._one_at_a_time[name]:
            await asyncio.to_thread(self._resize, LEAST)
            yield
            await asyncio.to_thread(self._resize, MOST)

    def _resize(self, most: int) -> None:
        until(f"the pool may have {most} pods", lambda: self._is_resized(most), seconds=RESIZE_SECONDS)

    def _is_resized(self, most: int) -> bool:
        crew = self._fleet.crew
        try:
            return crew.client.send("PATCH", f"/pools/{crew.pool_id}", {"max_replicas": most}).is_success
        except httpx.TransportError:
            return False

    def _kill(self, which: str) -> None:
        if life := self._pod(which):
            _signal([pid for pid in life.processes() if AGENT in processes.arguments(pid)], signal.SIGKILL)

    def _delete(self, which: str, grace: int | None) -> None:
        if life := self._pod(which):
            with suppress(httpx.TransportError, Refused):  # the API server is away just now
                self._fleet.cluster.delete("pods", life.pod["metadata"]["name"], grace=grace)

    def _running_on(self, node: str) -> list[int]:
        known = self._fleet.nodes[int(node)].kubelet.lives.values()
        return [pid for life in self._fleet.lives() if life in known for pid in life.processes()]

    def _pod(self, which: str) -> PodLife | None:
        lives = [life for life in self._fleet.lives() if life.processes()]
        if which == BUSY:
            lives.sort(key=_work)
        elif which == OLDEST:
            lives.reverse()
        return lives[-1] if lives else None


def _work(life: PodLife) -> int:
    """Return how much would be lost with a pod: most where an engine applies."""
    engines = [processes.arguments(pid) for pid in life.processes() if is_engine(pid)]
    return 2 if any(" apply " in line for line in engines) else min(1, len(engines))


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
