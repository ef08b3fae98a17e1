"""One engine in a room of its own: it stays beside the engine, ends as the engine did, and leaves nothing that runs.

A program, started for each start of an engine (`isolation`). It stands for the engine towards the agent: SIGINT goes on
to the engine, once for each; SIGUSR1 kills all that is there. Behind walls (`walls`) the kernel kills whatever is left
when the first process in there has ended; without them it is found by its parentage.

It and what it imports do without `pathlib`, `typing` and the like: Python starts twice as fast without them.
"""

import os
import signal
import sys

from agents.runner import linux, walls

BROKEN = 125
"""Exit status where no engine was started; standard error says why."""

KILL_ALL = signal.SIGUSR1

Engine = tuple[str, ...]
"""The program and its arguments."""

Mask = set[int | signal.Signals]

_HEARD: Mask = {signal.SIGINT, KILL_ALL, signal.SIGCHLD}
_DEAF_TO: Mask = {signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}  # who shuts a machine down tells the engine himself
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def main(workdir: str, task: str, *engine: str) -> None:
    """Run the engine, whose program comes first, and end as it ended. Where `workdir` is empty there are no walls."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD | _DEAF_TO)
    try:
        _end(_walled(workdir, task, engine, before) if workdir else _watched(engine, before))
    except OSError as error:
        _give_up(error)


def _walled(workdir: str, task: str, engine: Engine, mask: Mask) -> int:
    """Run the engine behind walls, as a child of the first process there; return its wait status."""
    reader, writer = os.pipe()
    walls.enter()
    first = os.fork()
    if first == 0:
        os.close(reader)
        _be_first(workdir, task, engine, mask, writer)
    os.close(writer)
    status = _follow(first)
    return int(os.read(reader, 16) or status)


def _be_first(workdir: str, task: str, engine: Engine, mask: Mask, writer: int) -> None:
    """Build the walls, run the engine, and pass on its wait status."""
    try:
        walls.build(workdir, task)
        linux.die_with_parent(signal.SIGKILL)
        os.write(writer, b"%d" % _follow(_started(engine, mask)))
    except OSError as error:
        _give_up(error)
    os._exit(0)


def _watched(engine: Engine, mask: Mask) -> int:
    """Run the engine without walls; return its wait status when nothing that it has started runs any more."""
    linux.adopt_orphans()
    status = _follow(_started(engine, mask, parent=os.getpid()))
    try:
        _clear_up()
    except OSError as error:
        _say(f"What the engine has left running was not looked for: {error.strerror}.")
    return status


def _clear_up() -> None:
    """Kill what the engine has left running, but for what this user may not kill."""
    spared: list[int] = []
    while orphans := [child for child in _children() if child not in spared]:
        killed = [orphan for orphan in orphans if _sent(signal.SIGKILL, orphan)]
        for orphan in killed:
            os.waitpid(orphan, 0)
        spared += [orphan for orphan in orphans if orphan not in killed]
    if spared:
        _say(f"What the engine has left running as another user goes on (processes {', '.join(map(str, spared))}).")


def _sent(number: int, process: int) -> bool:
    """Send a signal, where this user may: to what has become root, by sudo for one, it may not."""
    try:
        os.kill(process, number)
    except (PermissionError, ProcessLookupError):
        return False
    return True


def _follow(child: int) -> int:
    """Pass on what the agent wants, and return the child's wait status."""
    while True:
        heard = signal.sigwait(_HEARD)
        if heard == signal.SIGINT:
            _sent(signal.SIGINT, child)
        elif heard == KILL_ALL:
            _sent(signal.SIGKILL, child)
        elif (status := _reaped(child)) is not None:
            return status


def _reaped(child: int) -> int | None:
    """Take leave of all processes that have ended; return the wait status of the child, if it is one of them."""
    found = None
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found = ended[1] if ended[0] == child else found
    except ChildProcessError:
        pass
    return found


def _started(engine: Engine, mask: Mask, parent: int = 0) -> int:
    """Start the engine, which is killed with its parent where one is named; return its process."""
    if child := os.fork():
        return child
    try:
        if parent:
            linux.die_with_parent(signal.SIGKILL)
        if parent in (0, os.getppid()):
            for number in _IGNORED_BY_PYTHON:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.execv(engine[0], engine)  # noqa: S606 - no shell is what we want
    except OSError as error:
        _give_up(error, engine[0])
    os._exit(BROKEN)


def _children() -> list[int]:
    """Return the processes that this one has to wait for."""
    processes = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - without pathlib
    return [int(process) for process in processes if _parent(process) == str(os.getpid())]


def _parent(process: str) -> str:
    try:
        with open(f"/proc/{process}/stat") as file:  # noqa: PTH123 - without pathlib
            return file.read().rpartition(")")[2].split()[1]
    except OSError:
        return ""  # it has just ended


def _end(status: int) -> None:
    """End as the wait status says."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        linux.leave_no_core()  # the engine has left its own, if it was to
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _give_up(error: OSError, what: str = "") -> None:
    _say(f"Error: No engine was started: {what or error.filename}: {error.strerror}.")
    os._exit(BROKEN)


def _say(sentence: str) -> None:
    """Write to standard error, as far as it takes anything: nothing depends on it."""
    try:
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
    except OSError:
        pass
