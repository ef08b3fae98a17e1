"""The life of a command: until it is done, until a signal, or until a fault that is told in one line."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from iacplatform.supervisor.errors import SupervisorError

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def live(main: Coroutine[Any, Any, int]) -> int:
    """Return the exit status: what `main` returns, 0 when a stop signal ended it, 1 after a fault."""
    try:
        return asyncio.run(_until_stopped(main))
    except SupervisorError as error:
        print(error, file=sys.stderr, flush=True)
        return 1


async def _until_stopped(main: Coroutine[Any, Any, int]) -> int:
    task = asyncio.create_task(main)
    stopped = _stop_signals()
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    # Once only: a second Ctrl-C must not cut the orderly end short, which is bounded anyway.
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    waiting.cancel()
    return 0 if task.cancelled() else task.result()


def _stop_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    for number in STOP_SIGNALS:
        # Under nohup the end of the terminal is to be ignored.
        if signal.getsignal(number) is not signal.SIG_IGN or number != signal.SIGHUP:
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped
