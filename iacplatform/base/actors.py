"""How histories and locks name who did something."""

from typing import Any

SWEEP = "platform:sweep"
DISPATCHER = "platform:dispatcher"
SCHEDULER = "platform:scheduler"
WEB = "platform:web"


def user(who: Any) -> str:
    """Return a person's name as kept in a history."""
    return f"user:{who.get_username()}"


def agent(name: str) -> str:
    """Return an agent's name as kept in a history."""
    return f"agent:{name}"


def task(task_id: int) -> str:
    """Return a task's name as the holder of a lock."""
    return f"task:{task_id}"


def task_id(name: str) -> int | None:
    """Return which task the holder of a lock is; None where it is none."""
    kind, _, number = name.partition(":")
    return int(number) if kind == "task" else None
