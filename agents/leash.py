"""Processes that we fork end soon after us, however we end: even `kill -9` of a worker's parent leaves none behind.

django-q2 forks a sentinel, and that one the workers, the pusher and the monitor; without their parent they would go on
for hours, each with a connection to the database and some with a job in hand.
"""

import os
import threading
import time

LOOK_SECONDS = 1.0
"""How long a process may outlive its parent, at most; a sentinel's own children twice as long."""

ORPHANED = 1
"""Exit status of who ends so. Nothing is tidied up: what was under way is undone by the end of its connection."""

_forking = threading.local()


def tie() -> None:
    """Let every process that is forked from now on, by this one or by its children, end with its parent."""
    os.register_at_fork(before=_remember, after_in_child=_watch)


def _remember() -> None:
    _forking.parent = os.getpid()


def _watch() -> None:
    threading.Thread(target=_end_with, args=[_forking.parent], daemon=True, name="leash").start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(ORPHANED)
