"""What a lost agent says, and what is stored of it."""

import base64
from itertools import pairwise
from typing import Any

from agents.models import Agent
from agents.protocol import Finished, Log
from agents.sessions import Session
from tasks.models import Attempt, LogChunk, Task


def session_of(agent: Agent) -> Session:
    """Return the right to speak of a connected agent."""
    names = {"agent_id": agent.pk, "agent_name": agent.name, "pool_id": agent.pool_id}
    return Session(**names, token_id=0, session=agent.session)


def names(task: Task) -> dict[str, Any]:
    """Return how a word names the attempt that this row of the task had."""
    return {"task": task.pk, "epoch": task.epoch}


def log(task: Task, offset: int, data: bytes) -> Log:
    """Return a piece of log."""
    return Log(**names(task), offset=offset, data=base64.b64encode(data).decode())


def finished(task: Task, outcome: Any = "applied", **members: Any) -> Finished:
    """Return a result."""
    return Finished(**{**names(task), "outcome": outcome, "exit_code": 0, "seconds": 2.5, "log_bytes": 0, **members})


def attempt_of(task: Task) -> Attempt:
    """Return the attempt that this row of the task had."""
    return Attempt.objects.get(task=task, epoch=task.epoch)


def log_of(attempt: Attempt) -> bytes:
    """Return the stored log, which has no gap."""
    chunks = list(LogChunk.objects.filter(attempt=attempt).order_by("offset"))
    for before, after in pairwise(chunks):
        assert before.offset + len(before.data) == after.offset
    return b"".join(bytes(chunk.data) for chunk in chunks)


def row_of(task: Task) -> Any:
    """Return all columns of the task as they are now."""
    return Task.objects.filter(pk=task.pk).values().get()
