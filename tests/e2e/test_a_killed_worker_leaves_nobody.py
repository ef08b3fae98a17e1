"""`kill -9` of a bare `manage.py qcluster`: what django-q2 has forked ends with it, and holds no connection any more."""

import os
import signal

from tests import processes
from tests.e2e.platform import Platform
from tests.waiting import until

FORKED = 7
"""The sentinel, four workers, the pusher and the monitor."""


def test_the_processes_of_a_killed_worker_end_within_seconds(platform: Platform) -> None:
    forked = until("the cluster is complete", lambda: _family(platform.jobs.pid))
    until("its workers are at work", lambda: _connections(platform))
    os.kill(platform.jobs.pid, signal.SIGKILL)
    platform.jobs.ended()
    until("all have ended", lambda: not any(map(processes.alive, forked)))
    until("no connection is left", lambda: not _connections(platform))
    platform.jobs.start()
    until("another one sweeps", lambda: _connections(platform))


def _family(first: int) -> list[int]:
    """Return all that a process has forked, and what these have; nothing while some are missing."""
    children = processes.children(first)
    family = [*children, *(pid for child in children for pid in processes.children(child))]
    return family if len(family) >= FORKED else []


def _connections(platform: Platform) -> list[int]:
    """Return the connections over which something was last asked that only workers ask."""
    asked = "SELECT pid FROM pg_stat_activity WHERE query ILIKE '%%django_q_%%' AND pid <> pg_backend_pid()"
    return [pid for (pid,) in platform.sql(asked)]
