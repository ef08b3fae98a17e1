"""Who reads, writes or locks a state: a person, or an attempt of a task, which the layer above describes."""

from collections.abc import Callable
from dataclasses import dataclass

from iacplatform.base.problems import Forbidden


def nothing() -> None:
    """Find nothing that speaks against it."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who it is, and what they may do. `fence` is called within the transaction; it raises where they came too late."""

    name: str  # user:<name> or task:<id>, as kept with the lock
    author: str = ""  # as kept with a version; empty: the name
    workspace_id: str
    may_read: bool = False
    may_write: bool = False
    may_lock: bool = False
    may_break: bool = False  # end a lock of somebody else
    task_id: int | None = None
    epoch: int | None = None
    phase: str = ""
    agent_id: str = ""
    fence: Callable[[], None] = nothing

    def demand(self, allowed: bool, what: str) -> None:
        """Raise `Forbidden` unless `allowed`."""
        if not allowed:
            raise Forbidden(f"{self.author or self.name} may not {what} the state of this workspace.")
