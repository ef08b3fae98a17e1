"""One engine process, in its chamber (`chamber`), which takes the signals for it and ends as it does.

Its output goes to a file and it has a session of its own: with a pipe or in our session terraform dies with its agent,
in mid-apply and with the lock held. So nothing here may end it when the agent ends; that is why it is a plain `Popen`
with a waiting thread (asyncio's own child processes are killed when their loop closes).
"""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from agents.protocol import Phase
from agents.runner import chamber, survivor
from agents.runner.control import Control
from agents.runner.survivor import Noted

UNSEEN = 0
"""Exit status of an engine that was not ours to wait for."""

LOOK_SECONDS = 0.1
"""How often we look whether such an engine still runs."""


class Engine:
    """An engine at work; `exited` becomes its exit status, negative for the signal that killed it."""

    def __init__(self, pid: int, note: Path, *, was_interrupted: bool = False) -> None:
        self.pid = pid
        self.was_killed = False
        self._note = note
        self._was_interrupted = was_interrupted
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = self._loop.create_future()

    async def finish(self, control: Control, end: asyncio.Event) -> int:
        """Return the exit status. At `end` it gets one SIGINT, the control's grace time, then SIGKILL."""
        waiting = asyncio.ensure_future(end.wait())
        await asyncio.wait((self.exited, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self.exited.done():
            self._interrupt()
            await asyncio.wait((self.exited,), timeout=control.grace_seconds)
        if not self.exited.done():
            await self._kill()
        return await asyncio.shield(self.exited)

    def _interrupt(self) -> None:
        # To the process alone, and once: a second SIGINT is terraform's emergency stop, which loses state.
        if not self._was_interrupted:
            self._was_interrupted = True
            survivor.note_interrupt(self._note)
            with suppress(ProcessLookupError):
                self._signal(signal.SIGINT)

    async def _kill(self) -> None:
        self.was_killed = True
        with suppress(ProcessLookupError):
            self._signal(chamber.KILL_ALL)
            await asyncio.wait((self.exited,), timeout=survivor.KILL_SECONDS)
        if not self.exited.done():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def _ended(self, status: int) -> None:
        if not self.exited.done():
            self.exited.set_result(status)


class EngineProcess(Engine):
    """An engine that this agent starts, and notes down for its next life."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        output: Path,
        errors: Path,
        note: Path,
    ) -> None:
        """Start it, standard output to the file `output` and error to `errors`, which may be the same."""
        with output.open("ab") as out, errors.open("ab") as err:
            self._process = subprocess.Popen(
                arguments,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        super().__init__(self._process.pid, note)
        threading.Thread(target=self._wait, daemon=True, name=f"engine-{self.pid}").start()

    def note(self, phase: Phase, step: str, log_bytes: int) -> None:
        """Write down which process it is."""
        survivor.note(self._note, self.pid, phase=phase, step=step, log_bytes=log_bytes)

    def _signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def _wait(self) -> None:
        status = self._process.wait()
        if status < 0:
            # What the engine started (providers, provisioners) does not notice the death of a killed engine.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        with suppress(RuntimeError):  # the loop has closed: the agent is leaving and nobody waits any more
            self._loop.call_soon_threadsafe(self._ended, status)


class Orphan(Engine):
    """An engine that an earlier life of this agent has started. How it ends, only its own words say: `UNSEEN`."""

    def __init__(self, noted: Noted, note: Path) -> None:
        super().__init__(noted.pid, note, was_interrupted=noted.was_interrupted)
        self._noted = noted
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self._noted.is_alive:
            await asyncio.sleep(LOOK_SECONDS)
        self._ended(-signal.SIGKILL if self.was_killed else UNSEEN)
