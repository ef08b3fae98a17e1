"""The faults done to the cast, each undone when its time is over; `heal` undoes whatever is left."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from tests import processes
from tests.chaos.cast import AGENTS, Cast
from tests.chaos.faults import BUSY, Fault

Deed = Callable[[str], None]


class Trouble:
    """Carries a plan of faults out. `done`: how often each kind was."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self.done: Counter[str] = Counter()
        self._deeds: dict[str, tuple[Deed, Deed]] = {
            "kill": (self._kill, _nothing),
            "switch off": (self._switch_off, _nothing),
            "kill engine": (self._kill_engines, _nothing),
            "kill server": (self._kill, _nothing),
            "stop": (self._stop, _nothing),
            "freeze": (self._freeze, self._thaw),
            "kill database": (self._kill_database, _nothing),
            "restart database": (self._stop, _nothing),
            "cut": (lambda name: cast.doors[name].cut(), self._mend),
            "stall": (lambda name: cast.doors[name].stall(), self._mend),
            "half-open": (lambda name: cast.doors[name].fall_silent(), self._mend),
        }

    async def rage(self, faults: Sequence[Fault]) -> None:
        """Do all of it in its time; return when the last one is undone."""
        await in_time(faults, self._one)

    def heal(self) -> None:
        """Undo everything."""
        for door in self._cast.doors.values():
            door.mend()
        for name in self._cast.parts:
            self._thaw(name)

    async def _one(self, fault: Fault) -> None:
        do, undo = self._deeds[fault.kind]
        target = self._busy() if fault.target == BUSY else fault.target
        do(target)
        self.done[fault.kind] += 1
        await asyncio.sleep(fault.seconds)  # as long as the fault lasts: its length is drawn with it
        undo(target)

    def _busy(self) -> str:
        """Return an agent that applies, else one that has an engine at work, or else any."""
        at_work = {name: [processes.arguments(pid) for pid in self._cast.engines(name)] for name in AGENTS}
        applying = [name for name, engines in at_work.items() if any(" apply " in line for line in engines)]
        return [*applying, *(name for name, engines in at_work.items() if engines), *AGENTS][0]

    def _kill(self, name: str) -> None:
        self._cast.parts[name].kill()

    def _switch_off(self, name: str) -> None:
        """Kill an agent with the engines that it has started, as when its machine loses power."""
        self._kill(name)
        self._kill_engines(name)

    def _kill_engines(self, name: str) -> None:
        for pid in self._cast.engines(name):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _stop(self, name: str) -> None:
        """Ask it to end, as an orderly restart does; it is started again when it has ended."""
        self._cast.parts[name].signal(signal.SIGTERM)

    def _kill_database(self, name: str) -> None:
        if self._cast.parts[name].is_running:
            with suppress(FileNotFoundError, ProcessLookupError, IndexError):  # it is starting, or has just ended
                self._cast.platform.kill_database()

    def _freeze(self, name: str) -> None:
        self._signal_all(name, signal.SIGSTOP)

    def _thaw(self, name: str) -> None:
        self._signal_all(name, signal.SIGCONT)

    def _signal_all(self, name: str, number: signal.Signals) -> None:
        part = self._cast.parts[name]
        if part.is_running:
            os.killpg(part.pid, number)

    def _mend(self, name: str) -> None:
        self._cast.doors[name].mend()


async def in_time(faults: Sequence[Fault], happen: Callable[[Fault], Coroutine[Any, Any, None]]) -> None:
    """Let each fault happen when its time has come; return when the last one is over."""
    begun = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            # A plan of faults is a plan of moments: nothing that could be waited for says when the next one comes.
            await asyncio.sleep(begun + fault.at - asyncio.get_running_loop().time())
            group.create_task(happen(fault))


def _nothing(name: str) -> None:
    """Leave it: whoever ended is started again by those who tend the cast."""
