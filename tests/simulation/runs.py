"""What runs on an agent: a process without an engine, and what it does to the state as one with an engine would."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from agents.protocol import Changes, Finished, Outcome, PlanFacts, Start, Work
from iacplatform.base.problems import Problem
from tasks import authentication, plans
from tasks.authentication import AttemptHolder
from tasks.models import Attempt, Plan, Task
from tests.simulation.ledger import Ledger
from workspaces import states


@dataclass
class Run:
    """A process of the agent. `plan`: digest of the plan that it would apply; `started`: terraform apply was spawned."""

    task: int
    epoch: int
    phase: str
    workspace_id: str
    attempt_id: int
    plan: str = ""
    lock_id: str = ""
    """Of the state lock that it holds."""
    started: bool = False
    cancelled: bool = False
    outcome: Outcome | None = None
    """How it ended; None while it runs."""
    has_changes: bool = True
    planned_for: tuple[str, int] = ("", 0)
    """Lineage and serial of the state that its plan was made for."""
    state: tuple[str, int] = ("", 0)
    """Lineage and serial that it read at its beginning."""

    @classmethod
    def begun(cls, start: Start, task: Task) -> "Run":
        """Return what the server asked for."""
        attempt = Attempt.objects.only("pk").get(task=task, epoch=start.epoch)
        plan = Plan.objects.current_of(task) if start.phase == "apply" else None
        return cls(
            start.task,
            start.epoch,
            start.phase,
            task.workspace_id,
            attempt.pk,
            plan=plan.digest if plan else "",
            planned_for=(plan.lineage, plan.serial) if plan else ("", 0),
            state=plans.state_now(task.workspace_id),
        )

    @property
    def work(self) -> Work:
        """It, as a hello or a heartbeat names it."""
        return Work(task=self.task, epoch=self.epoch)

    @property
    def says_over_http(self) -> Attempt | None:
        """Its attempt, as its token lets it in; None where it is turned away."""
        attempt = Attempt.objects.select_related("task").get(pk=self.attempt_id)
        is_over = attempt.ended_at is not None or attempt.task.epoch != attempt.epoch
        return None if is_over else attempt

    def lock_state(self) -> bool:
        """Take the state's lock; return whether nobody else has it."""
        lock_id = f"lock-{self.task}-{self.epoch}"
        if self._ask(lambda holder: states.lock(self.workspace_id, lock_id, {"ID": lock_id}, holder)):
            self.lock_id = lock_id
        return bool(self.lock_id)

    def unlock_state(self, ledger: Ledger) -> None:
        """Let go of the lock, as an engine does at its end."""
        if self.lock_id:
            ledger.let_go.add(self.lock_id)
            self._ask(lambda holder: states.unlock(self.workspace_id, self.lock_id, holder))

    def write_state(self, ledger: Ledger) -> bool:
        """Store the next version; return whether it was taken."""
        lineage, serial = self.state
        content = document(lineage or f"of-{self.workspace_id}", serial + 1, f"task {self.task}, epoch {self.epoch}")
        taken = self._ask(lambda holder: states.store(self.workspace_id, content, holder, lock_id=self.lock_id))
        if taken:
            ledger.stored[self.workspace_id, serial + 1] = hashlib.sha256(content).hexdigest()
        return taken

    def upload_plan(self) -> bool:
        """Store the parts of the plan; return whether they were taken."""
        attempt = self.says_over_http
        if attempt is None:
            return False
        try:
            for part in ("file", "json"):
                plans.keep_part(attempt, part, self._content, hashlib.sha256(self._content).hexdigest())
        except Problem:
            return False
        return True

    def finished(self) -> Finished:
        """Return the word that says how it ended."""
        assert self.outcome is not None
        facts = self._facts() if self.outcome == "planned" else None
        code = {"killed": -9, "failed": 1}.get(self.outcome, 0)
        return Finished(
            task=self.task, epoch=self.epoch, outcome=self.outcome, exit_code=code, seconds=1, log_bytes=0, plan=facts
        )

    def _ask(self, verb: Callable[[AttemptHolder], object]) -> bool:
        attempt = Attempt.objects.select_related("task").get(pk=self.attempt_id)
        try:
            verb(authentication.holder(attempt))
        except Problem:
            return False
        return True

    @property
    def _content(self) -> bytes:
        return f"plan of task {self.task}, epoch {self.epoch}".encode()

    def _facts(self) -> PlanFacts:
        lineage, serial = self.state
        return PlanFacts(
            digest=hashlib.sha256(self._content).hexdigest(),
            lineage=lineage,
            serial=serial,
            engine="terraform",
            version="1.11.4",
            os="linux",
            arch="amd64",
            has_changes=self.has_changes,
            changes=Changes(add=int(self.has_changes), change=0, destroy=0),
        )


def document(lineage: str, serial: int, note: str) -> bytes:
    """Return a state whose content nobody else writes."""
    body = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage}
    return json.dumps({**body, "outputs": {"note": {"value": note, "type": "string"}}, "resources": []}).encode()
