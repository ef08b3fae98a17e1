"""What must be true after every step, whatever happened (design section 3; I1 to I10 of the reliability research)."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from agents.models import Agent
from tasks import states
from tasks.models import Attempt, Task, TaskEvent
from tasks.states import ACTIVE, MOVES, RUNNABLE, Lease, Status
from tests.simulation.ledger import Ledger
from workspaces.models import Workspace

ARROWS = {(states.Status(at.value) if at.value in Status.values else Status.RUNNING, event, to)
          for (at, event), goals in MOVES.items() for to in goals}  # fmt: skip
"""The table with the two kinds of running taken together, as events show them."""


@dataclass(frozen=True)
class View:
    """All rows as one step left them, tasks by age."""

    tasks: list[Task]
    attempts: list[Attempt]
    events: list[TaskEvent]
    workspaces: dict[str, Workspace]

    @classmethod
    def now(cls, before: "View") -> "View":
        """Return what the database holds; what is known of the history it does not read again."""
        newer = TaskEvent.objects.filter(id__gt=before.events[-1].pk if before.events else 0)
        return cls(
            tasks=list(Task.objects.order_by("id")),
            attempts=list(Attempt.objects.order_by("id")),
            events=[*before.events, *newer.order_by("id")],
            workspaces=Workspace.objects.in_bulk(),
        )

    def with_status(self, *statuses: str) -> list[Task]:
        """Return the tasks in one of these statuses."""
        return [task for task in self.tasks if task.status in statuses]


def check(view: View, ledger: Ledger) -> None:
    """Fail with a sentence where the platform broke a promise."""
    _everything_says_why_it_waits(view)
    _moves_follow_the_table(view)
    _slots_add_up(view)
    _one_changing_task_per_workspace(view)
    _attempts_end_with_their_tasks(view)
    _nothing_runs_that_nobody_confirmed(view, ledger)
    _what_needs_attention_holds_its_workspace(view)


def _everything_says_why_it_waits(view: View) -> None:
    broken = Task.objects.breaking_the_promise()
    assert not broken.exists(), f"the watchdog barks at {[(task.pk, task.status, task.reason_code) for task in broken]}"
    for task in view.tasks:
        waits = not task.is_final and task.status != Status.RUNNING
        assert (task.wait_reason is not None) == waits, f"task {task.pk} is {task.status}, reason {task.reason}"


def _moves_follow_the_table(view: View) -> None:
    stand: dict[int, str] = {}
    for news in view.events:
        before = stand.get(news.task_id, "")
        assert news.before == before, f"task {news.task_id} was {before}, its history says {news.before}"
        if before:
            assert (before, news.event, news.after) in ARROWS, f"task {news.task_id}: {news}"
        stand[news.task_id] = news.after
    assert stand == {task.pk: task.status for task in view.tasks}, "a task stands where its history does not end"


def _slots_add_up(view: View) -> None:
    leased = [task for task in view.tasks if task.lease]
    if not leased:
        return
    held = Counter((task.agent_id, task.slot) for task in leased)
    assert max(held.values()) == 1, f"one slot holds several tasks: {held}"
    capacity = dict(Agent.objects.values_list("pk", "capacity"))
    for task in leased:
        assert task.slot is not None and task.slot < capacity[task.agent_id], f"task {task.pk} has no real slot"


def _one_changing_task_per_workspace(view: View) -> None:
    first: dict[str, Task] = {}
    for task in view.tasks:
        if task.is_final or not task.is_changing:
            continue
        head = first.setdefault(task.workspace_id, task)
        assert task is head or task.status == Status.WAITING, f"task {task.pk} does not wait for task {head.pk}"
        assert task is head or task.status not in ACTIVE


def _attempts_end_with_their_tasks(view: View) -> None:
    opened = defaultdict(list)
    for attempt in view.attempts:
        if attempt.ended_at is None:
            opened[attempt.task_id].append(attempt.epoch)
        assert attempt.ended_at is None or attempt.outcome, f"{attempt} ended without an outcome"
    for task in view.tasks:
        at_work = task.lease in {Lease.OFFERED, Lease.RUNNING} or task.status == Status.NEEDS_ATTENTION
        expected = [task.epoch] if at_work else []
        assert opened[task.pk] == expected, f"task {task.pk} is {task.status}, its open attempts are {opened[task.pk]}"


def _nothing_runs_that_nobody_confirmed(view: View, ledger: Ledger) -> None:
    for task in view.tasks:
        applying = task.status in {Status.CONFIRMED, Status.APPLIED} or (
            task.status == Status.RUNNING and task.phase == "apply"
        )
        if applying:
            word = ledger.confirmed.get(task.pk, [""])[-1]
            assert word == task.plan_digest, f"task {task.pk} is {task.status} with a plan that nobody confirmed"
        if task.status == Status.APPLIED:
            assert (task.pk, task.epoch) in ledger.attempts, f"task {task.pk} says applied and nothing was"


def _what_needs_attention_holds_its_workspace(view: View) -> None:
    for task in view.with_status(Status.NEEDS_ATTENTION):
        assert view.workspaces[task.workspace_id].is_locked, f"task {task.pk} does not hold its workspace"


def restless(view: View) -> list[str]:
    """Return the tasks that wait for anything but a person, with why."""
    heads: dict[str, Task] = {}
    found = []
    for task in view.with_status(*states.LIVE):
        head = heads.setdefault(task.workspace_id, task) if task.is_changing else task
        if not _waits_for_a_person(task, head, view.workspaces[task.workspace_id]):
            found.append(f"task {task.pk} is {task.status} {task.lease}: {task.reason and task.reason['message']}")
    return found


def _waits_for_a_person(task: Task, head: Task, workspace: Workspace) -> bool:
    if task.status in {Status.APPLY_PENDING, Status.NEEDS_ATTENTION}:
        return True
    if task.reason_code == "workspace_locked":
        return workspace.is_locked
    if task.status == Status.WAITING:
        return task.reason_code == "queued_behind" and head is not task and not head.is_final
    return task.status in RUNNABLE and task.reason_code == "pool_missing"
