"""What people confirmed and which applies were started for it: kept beside the platform, so that it can be caught lying."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """`confirmed`: of each task, the digests that somebody read and confirmed, in order."""

    confirmed: dict[int, list[str]] = field(default_factory=dict)
    started: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Applies by task and number of the confirmation that they were started for."""
    attempts: set[tuple[int, int]] = field(default_factory=set)
    """Task and epoch of each apply that was started."""

    def confirm(self, task_id: int, digest: str) -> None:
        """Write down that somebody wants this plan applied."""
        self.confirmed.setdefault(task_id, []).append(digest)

    def start(self, task_id: int, epoch: int, digest: str) -> None:
        """Write down that an agent spawns `terraform apply`. Fails where nobody confirmed this very plan for it."""
        wanted = self.confirmed.get(task_id, [])
        assert wanted, f"task {task_id} is applied and nobody ever confirmed it"
        assert wanted[-1] == digest, f"task {task_id}: {digest[:8]} is applied, {wanted[-1][:8]} was confirmed"
        self.started[task_id, len(wanted)] += 1
        self.attempts.add((task_id, epoch))
        assert self.started[task_id, len(wanted)] == 1, f"task {task_id} is applied twice for one confirmation"
