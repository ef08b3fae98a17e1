"""What people do in the simulated world, on pages that show what was true a moment ago."""

from collections.abc import Callable
from typing import Any

from agents import orphans
from iacplatform.base.problems import Problem
from pools.models import Pool
from tasks import cancellation, confirmation, creation, remedies, removal
from tasks.models import Task, TaskEvent
from tasks.states import Event, TaskType
from tests.simulation.processes import Killed
from tests.simulation.runs import document
from tests.simulation.world import World, pick
from workspaces import edits, locks, state_api, states
from workspaces.models import StateVersion, Workspace

STATUSES = {409, 423}
"""Of a refusal."""


class People:
    """Each may do everything. `mind`: of tasks, the digest that somebody read on the page."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mind: dict[int, str] = {}

    def create(self, number: int, task_type: TaskType, by: int) -> None:
        """Make a task in some workspace."""
        workspace = pick(self.world.workspaces, number)
        self._make(workspace, task_type, lambda: creation.create(workspace, task_type=task_type, by=self._who(by)))

    def confirm(self, task_id: int, shown: str, by: int, *, names_it: bool = True) -> None:
        """Confirm the plan that was shown, naming it or not; what counted is written down."""
        task, digest = Task.objects.get(pk=task_id), shown if names_it else ""
        answer = self.ask(lambda: confirmation.confirm(task, by=self._who(by), plan_digest=digest))
        if answer is True or (answer is Killed and self._was_heard(task_id)):
            self.world.ledger.confirm(task_id, shown)

    def press(self, button: str, task_id: int, by: int) -> bool:
        """Press one of the other buttons on a task's page; return whether it was taken."""
        task, person = Task.objects.select_related("workspace").get(pk=task_id), self._who(by)
        verbs: dict[str, Callable[[], Any]] = {
            "discard": lambda: confirmation.discard(task, by=person),
            "cancel": lambda: cancellation.cancel(task, by=person),
            "force_cancel": lambda: cancellation.force_cancel(task, by=person),
            "retry": lambda: remedies.retry(task, by=person),
            "mark_failed": lambda: remedies.mark_failed(task, by=person, reason="Over."),
            "release_lock": lambda: orphans.release(task, by=person, reason="Dead."),
        }
        if button == "retry":
            return self._make(task.workspace, TaskType(task.task_type), verbs[button])
        return not _is_refused(self.ask(verbs[button]))

    def meddle(self, what: str, workspace: Workspace, by: int) -> None:
        """Do something to a workspace: its lock, its state, or where its tasks run."""
        person = self._who(by)
        holder = state_api.person(person, workspace.pk)
        mine = f"lock-{person.username}"
        verbs: dict[str, Callable[[], Any]] = {
            "lock": lambda: locks.lock(workspace, by=person, reason="Hands off."),
            "unlock": lambda: locks.unlock(workspace),
            "upload_state": lambda: self._upload_state(workspace, by),
            "lock_state": lambda: states.lock(workspace.pk, mine, {"ID": mine}, holder),
            "unlock_state": lambda: states.unlock(workspace.pk, mine, holder),
        }
        if what == "unlock_state":
            self.world.ledger.let_go.add(mine)
        self.ask(verbs.get(what) or (lambda: self._move(workspace, what)))

    def ask(self, verb: Callable[[], Any]) -> Any:
        """Do it; return the answer, `Problem` where it was refused with a sentence, `Killed` where none came."""
        try:
            return self.world.processes.run(verb)
        except Killed:
            return Killed
        except Problem as refused:
            assert refused.status in STATUSES and refused.detail.strip(), f"{refused.status}: {refused.detail}"
            return Problem

    def _make(self, workspace: Workspace, task_type: TaskType, verb: Callable[[], Any]) -> bool:
        newest = Task.objects.order_by("-id").values_list("pk", flat=True).first() or 0
        answer = self.ask(verb)
        if workspace.auto_apply and task_type == TaskType.PLAN_AND_APPLY:
            made = Task.objects.filter(pk__gt=newest).values_list("pk", flat=True)
            self.world.ledger.beforehand.update(made)
        return not _is_refused(answer)

    def _upload_state(self, workspace: Workspace, by: int) -> None:
        newest = StateVersion.objects.defer("sealed_content").newest_of(workspace.pk)
        serial, lineage = (newest.serial + 1, newest.lineage) if newest else (1, f"of-{workspace.pk}")
        content = document(lineage, serial, f"by hand at {self.world.ledger.now}")
        holder = state_api.person(self._who(by), workspace.pk, fence=lambda: removal.demand_idle(workspace.pk))
        version = states.upload(workspace.pk, content, holder)
        self.world.ledger.stored[workspace.pk, serial] = version.digest

    def _move(self, workspace: Workspace, place: str) -> None:
        """Let the workspace's tasks run on the pool of this name, or on none."""
        workspace.execution_mode = {"local": "local", "fleet": "k8s"}.get(place, "agent")
        workspace.pool = Pool.objects.filter(name=place).exclude(name="local").first()
        edits.save(workspace, ["execution_mode", "pool"])

    def _was_heard(self, task_id: int) -> bool:
        """Return whether a confirmation was stored whose answer never came."""
        stored = TaskEvent.objects.filter(task_id=task_id, event__in=[Event.CONFIRM, Event.AUTO_APPLY]).count()
        return stored > len(self.world.ledger.confirmed.get(task_id, []))

    def _who(self, by: int) -> Any:
        return self.world.people[by]


def _is_refused(answer: Any) -> bool:
    return answer is Problem or answer is Killed
