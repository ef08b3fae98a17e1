"""`python -m tests.restart.populate N`: fill a platform's database with N tasks of each kind, and say what was made.

Prints JSON: `token` of the pool, `tasks` (kind by id), and `agents`, each with what it runs.
"""

import json
import sys
from typing import Any
from unittest import mock

import django

django.setup()

from agents.models import Agent
from iacplatform.base import clock, ids
from pools.models import Pool, PoolToken
from tasks import attempts
from tasks.models import Task
from tasks.states import Lease
from tests.restart.kinds import KINDS, Kind
from tests.tasks import factories

ALIVE = ("steady-1", "steady-2", "steady-3")
DEAD = "dead"
SLOTS = 64
LEASE_SECONDS = 45


def main() -> None:
    """Make it all, and print what was made."""
    pool = Pool.objects.create(name="crew")
    _, token = PoolToken.issue(pool=pool, name="crew")
    crew = [factories.agent(name, pool=pool, capacity=SLOTS) for name in (*ALIVE, DEAD)]
    with mock.patch("agents.dispatcher.try_dispatch"):  # everything dies before anybody looks for a slot
        made = {
            task.pk: name
            for name, kind in KINDS.items()
            for number in range(int(sys.argv[1]))
            for task in [_made(pool, kind, crew[-1] if kind.on_dead_agent else crew[number % len(ALIVE)])]
        }
    for agent in crew:
        _connect(agent)
    print(json.dumps({"token": token, "tasks": made, "agents": [_told(agent) for agent in crew[: len(ALIVE)]]}))


def _made(pool: Pool, kind: Kind, agent: Agent) -> Task:
    return kind.make(factories.workspace(execution_mode="agent", pool=pool), agent)


def _connect(agent: Agent) -> None:
    """Let the row say that the agent's socket is open, as it was when everything was killed."""
    now = {"lease_until": clock.In(seconds=LEASE_SECONDS), "last_seen_at": clock.DatabaseNow()}
    Agent.objects.filter(pk=agent.pk).update(session=ids.new("s-", 20), connected_at=clock.DatabaseNow(), **now)


def _told(agent: Agent) -> dict[str, Any]:
    held = Task.objects.leased_by(agent.pk).filter(lease=Lease.RUNNING)
    return {"name": agent.name, "instance": agent.instance, "runs": [_run(task) for task in held]}


def _run(task: Task) -> dict[str, Any]:
    attempt = attempts.newest_of(task)
    return {
        "task": task.pk,
        "epoch": task.epoch,
        "phase": attempt.phase,
        "token": attempt.token,
        "permitted": attempt.permitted_at is not None,
        "cancelled": task.cancelled_at is not None,
    }


if __name__ == "__main__":
    main()
