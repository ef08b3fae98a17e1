"""Child processes: each in a session of its own, each ended with its whole process group.

The kernel ends them when we die in any way (PR_SET_PDEATHSIG, prctl(2)), so not even `kill -9` of us leaves one
behind. A process that a child put into another session is that child's own affair: an engine in mid-apply must outlive
its agent.
"""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from iacplatform.supervisor.lines import Lines

PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


class Process:
    """One running program. `ended` gets its exit status, negative for a signal, when its whole group was ended too."""

    def __init__(self, popen: subprocess.Popen[bytes], take: Callable[[str], None]) -> None:
        self.pid = popen.pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.last_words = ""
        self.on_output: list[Callable[[str], None]] = [take]
        self._popen = popen
        self._take = take
        self._pipes = [
            Lines(_given_up(popen.stdout), self._hear_output),
            Lines(_given_up(popen.stderr), self._hear_error),
        ]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone, unless it has ended."""
        if not self.ended.done():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the program and its group at once."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> bool:
        """Return whether the program has ended; what it left in its group was then killed."""
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self.kill()  # until the wait below, the number cannot belong to anybody else
        status = self._popen.wait()
        for pipe in self._pipes:
            pipe.close()
        self.ended.set_result(status)
        return True

    def _hear_output(self, line: str) -> None:
        for take in self.on_output:
            take(line)

    def _hear_error(self, line: str) -> None:
        if line.strip():
            self.last_words = line.strip()
        self._take(line)


class Processes:
    """All children that have not ended. A context; its loop must run in the main thread.

    The parent-death signal goes out when the thread that started the child ends, hence the main thread.
    """

    def __init__(self) -> None:
        self.running: list[Process] = []

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        take: Callable[[str], None],
        descriptors: Sequence[int] = (),
        orphaned: signal.Signals = signal.SIGTERM,
    ) -> Process:
        """Start a program; `take` gets its lines, `descriptors` stay open in it, and it gets `orphaned` when we die.

        Raises OSError when it cannot be started.
        """
        popen = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C in a terminal is for us alone: we end the children in order
            preexec_fn=partial(_end_with_parent, os.getpid(), orphaned),  # noqa: PLW1509 - this process has one thread
        )
        process = Process(popen, take)
        self.running.append(process)
        return process

    def _reap(self) -> None:
        self.running = [process for process in self.running if not process.reap()]


def ending(status: int) -> str:
    """Return how a program ended, in words that follow its name."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _given_up(pipe: IO[bytes] | None) -> int:
    """Return a descriptor of the pipe that is ours; the file object's own one is closed."""
    if pipe is None:
        raise ValueError("The child was started without a pipe.")
    with pipe:
        return os.dup(pipe.fileno())


def _end_with_parent(parent: int, orphaned: signal.Signals) -> None:
    _libc.prctl(PR_SET_PDEATHSIG, int(orphaned))
    if os.getppid() != parent:
        os._exit(1)
