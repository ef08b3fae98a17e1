"""What people said and engines did: kept beside the platform, so that it can be caught lying."""

from collections import Counter
from dataclasses import dataclass, field

LEASE_SECONDS = 45
BREAK_SECONDS = 15


@dataclass
class Ledger:
    """`confirmed`: of each task, the digests that somebody read and confirmed, in order."""

    confirmed: dict[int, list[str]] = field(default_factory=dict)
    beforehand: set[int] = field(default_factory=set)
    """Tasks whose creator agreed to their first plan, whatever it is."""
    noted: set[int] = field(default_factory=set)
    """Events by which the platform confirmed for them."""
    started: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Applies by task and number of the confirmation that they were started for."""
    attempts: set[tuple[int, int]] = field(default_factory=set)
    """Task and epoch of each apply that was started."""
    stored: dict[tuple[str, int], str] = field(default_factory=dict)
    """Digests of the states that the platform said to have stored, by workspace and serial."""
    let_go: set[str] = field(default_factory=set)
    """Ids of state locks whose holder, or a person, asked to end them."""
    now: float = 0.0
    """Seconds since the schedule's start."""
    heard: dict[str, float] = field(default_factory=dict)
    """When each agent was last heard, by name."""
    tried: dict[str, float] = field(default_factory=dict)
    """When each last said something, whether or not it came through."""
    lost: set[str] = field(default_factory=set)
    """Agents that a sweep might give up since somebody last looked."""
    served_since: float = 0.0
    """Since when without a break a web process of ours could hear agents."""
    served_until: float = -BREAK_SECONDS

    def confirm(self, task_id: int, digest: str) -> None:
        """Write down that somebody wants this plan applied."""
        self.confirmed.setdefault(task_id, []).append(digest)

    def confirm_beforehand(self, task_id: int, digest: str) -> None:
        """Write down that the platform took what was agreed when the task was made for a confirmation."""
        assert task_id in self.beforehand, f"task {task_id} was confirmed by itself, and nobody agreed to it"
        assert task_id not in self.confirmed, f"task {task_id} was confirmed by itself after a re-plan"
        self.confirm(task_id, digest)

    def start(self, task_id: int, epoch: int, digest: str) -> None:
        """Write down that an agent spawns `terraform apply`. Fails where nobody confirmed this very plan for it."""
        wanted = self.confirmed.get(task_id, [])
        assert wanted, f"task {task_id} is applied and nobody ever confirmed it"
        assert wanted[-1] == digest, f"task {task_id}: {digest[:8]} is applied, {wanted[-1][:8]} was confirmed"
        self.started[task_id, len(wanted)] += 1
        self.attempts.add((task_id, epoch))
        assert self.started[task_id, len(wanted)] == 1, f"task {task_id} is applied twice for one confirmation"

    def serve(self) -> None:
        """Write down that a web process of ours is up."""
        if self.now - self.served_until >= BREAK_SECONDS:
            self.served_since = self.now
        self.served_until = self.now

    @property
    def could_hear(self) -> bool:
        """Whether agents could be heard during a whole lease, until now."""
        return self.now - self.served_until < BREAK_SECONDS and self.now - self.served_since >= LEASE_SECONDS

    def hear(self, agent_name: str, *, surely: bool) -> None:
        """Write down that the agent said that it lives; `surely`: and was answered."""
        self.tried[agent_name] = self.now
        if surely:
            self.heard[agent_name] = self.now

    def sweep(self) -> None:
        """Write down which agents a sweep may give up now: not heard for a whole lease, in which we could hear."""
        if self.could_hear:
            self.lost |= {name for name, at in self.heard.items() if self.now - at >= LEASE_SECONDS}

    def is_silent(self, agent_name: str) -> bool:
        """Return whether the agent did not speak for a whole lease in which we could have heard it."""
        return self.could_hear and self.now - self.tried[agent_name] >= LEASE_SECONDS
