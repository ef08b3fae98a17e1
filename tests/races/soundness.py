"""What must be true of all rows after any order, whatever the verbs were."""

from itertools import groupby

from agents import dispatcher
from agents.models import Agent
from tasks import states
from tasks.models import Attempt, Task, TaskEvent
from tasks.states import CHANGING, Lease, Status
from tests import watchdog
from workspaces.models import Workspace

_ARROWS = {
    (at.value if at.value in Status.values else Status.RUNNING.value, event.value, to.value)
    for (at, event), goals in states.MOVES.items()
    for to in goals
}
"""The table of moves as events show it: the two kinds of running taken together."""


def demand() -> None:
    """Fail with a sentence where the platform broke a promise."""
    tasks = list(Task.objects.order_by("id"))
    watchdog.bark()
    _histories_lead_to_their_tasks(tasks)
    _slots_add_up([task for task in tasks if task.lease != Lease.NONE])
    _one_task_of_a_workspace_is_at_work(tasks)
    _what_is_open_is_at_work(tasks)
    _what_needs_attention_holds_its_workspace(tasks)


def demand_no_news_lost() -> None:
    """Fail where a task would get a slot by another look: whoever moved last should have had it looked at. Makes offers."""
    for pool_id in Task.objects.runnable().pool_ids():
        late = dispatcher.dispatch_all(pool_id, cause="soundness")
        assert not late.overdue, "a slot is free for a task, and nobody looks before the next sweep"


def _histories_lead_to_their_tasks(tasks: list[Task]) -> None:
    ends = {}
    for task_id, events in groupby(TaskEvent.objects.order_by("task_id", "id"), lambda event: event.task_id):
        at = ""
        for event in events:
            assert event.before == at, f"task {task_id} was {at or 'not there'}, and its history goes on with {event}"
            is_arrow = not at or event.before == event.after or (at, event.event, event.after) in _ARROWS
            assert is_arrow, f"task {task_id}: the table has no {event}"
            at = event.after
        ends[task_id] = at
    assert ends == {task.pk: task.status for task in tasks}, "a task stands where its history does not end"


def _slots_add_up(leased: list[Task]) -> None:
    capacity = dict(Agent.objects.values_list("pk", "capacity"))
    held = [(task.agent_id, task.slot or 0) for task in leased]
    assert len(set(held)) == len(held), f"one slot is held twice: {held}"
    assert all(slot < capacity[agent_id] for agent_id, slot in held), f"a slot that no agent has is held: {held}"


def _one_task_of_a_workspace_is_at_work(tasks: list[Task]) -> None:
    at_work = [task.workspace_id for task in tasks if task.task_type in CHANGING and task.status in states.ACTIVE]
    assert len(set(at_work)) == len(at_work), f"two tasks of a workspace may change things: {at_work}"


def _what_is_open_is_at_work(tasks: list[Task]) -> None:
    """An attempt is open exactly while its task holds a slot to work, or nobody knows how it ended."""
    has_work = {Lease.OFFERED, Lease.RUNNING}
    working = {
        (task.pk, task.epoch) for task in tasks if task.lease in has_work or task.status == Status.NEEDS_ATTENTION
    }
    opened = set(Attempt.objects.filter(ended_at=None).values_list("task_id", "epoch"))
    assert opened == working, f"open attempts {opened}, tasks at work {working}"


def _what_needs_attention_holds_its_workspace(tasks: list[Task]) -> None:
    lost = {task.workspace_id for task in tasks if task.status == Status.NEEDS_ATTENTION}
    free = Workspace.objects.filter(pk__in=lost, locked_by="")
    assert not free.exists(), f"a task needs attention and does not hold {list(free)}"
