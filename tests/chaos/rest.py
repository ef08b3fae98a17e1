"""Whether everything has come to rest: each task is final or waits for a person, or behind one that does."""

from tasks import states
from tasks.models import Task
from tasks.states import Status
from tests.chaos.rows import View


def restless(view: View) -> list[str]:
    """Return the tasks that wait for anything but a person, with why."""
    heads: dict[str, Task] = {}
    found = []
    for task in view.tasks:
        if task.is_final:
            continue
        head = heads.setdefault(task.workspace_id, task) if task.is_changing else task
        if not _waits_for_a_person(task, head, view):
            found.append(f"task {task.pk} is {task.status} {task.lease}: {task.reason and task.reason['message']}")
    return found


def _waits_for_a_person(task: Task, head: Task, view: View) -> bool:
    if task.status in {Status.APPLY_PENDING, Status.NEEDS_ATTENTION}:
        return True
    if task.reason_code == "workspace_locked":
        return view.workspaces[task.workspace_id].is_locked
    if task.reason_code == "state_locked":
        return task.workspace_id in view.orphaned
    if task.status == Status.WAITING:
        return task.reason_code == "queued_behind" and head is not task and not head.is_final
    return task.status in states.RUNNABLE and task.reason_code == "pool_missing"
