"""What must be true after every step, whatever happened (design section 3; I1 to I10 of the reliability research)."""

from collections import Counter, defaultdict

from tasks import states
from tasks.states import ACTIVE, Lease, Status
from tests.simulation.ledger import Ledger
from tests.simulation.view import TaskRow, View

_OF_CLUSTERS = frozenset({"no_connected_agent", "pod_starting", "pool_at_max"})
"""Of these a cluster decides, which may never give a pod."""


def check(view: View, ledger: Ledger) -> None:
    """Fail with a sentence where the platform broke a promise."""
    _everything_says_why_it_waits(view)
    _slots_add_up(view)
    _one_changing_task_per_workspace(view)
    _attempts_end_with_their_tasks(view)
    _nothing_runs_that_nobody_confirmed(view, ledger)
    _what_needs_attention_holds_its_workspace(view)


def check_after_sweep(view: View, ledger: Ledger) -> None:
    """Fail where a task that could move by itself did not, though everything was just looked at."""
    for task in _first_in_line(view):
        is_free = not view.held_by[task.workspace_id]
        assert not (is_free and task.status == Status.WAITING), f"task {task.pk} waits for nobody: {task.message}"
    for task in view.tasks:
        is_late = task.lease_expires_at is not None and task.lease_expires_at < view.now
        assert not is_late, f"the slot of task {task.pk} is {task.lease} past its time"
        is_dead = task.lease != Lease.NONE and ledger.is_silent(view.names[task.agent_id])
        assert not is_dead, f"task {task.pk} holds a slot of agent {view.names[task.agent_id]}, which is silent"
        overtime = task.status == Status.RUNNING and task.is_stuck and ledger.could_hear
        assert not overtime, f"task {task.pk} runs long past its time-out"
        assert not (_can_move_by_itself(task, view) and task.is_stuck), (
            f"task {task.pk} can move by itself, was just looked at, and is stuck: {task.message}"
        )


def _can_move_by_itself(task: TaskRow, view: View) -> bool:
    # Whoever lets offers lapse may let another one lapse. And a slot that is taken for longer than an apply may last is
    # waited for in vain: both are said, and neither is something that moves by itself.
    in_vain = task.reason_code == "no_free_slot" and task.deadline is not None and task.deadline < view.now
    is_told = in_vain or task.reason_code in {"offer_not_accepted", *_OF_CLUSTERS}
    return task.turn in {"machine", "time"} and task.status != Status.WAITING and not is_told


def _first_in_line(view: View) -> list[TaskRow]:
    """Return the first task of each workspace that changes things."""
    queues: dict[str, TaskRow] = {}
    for task in view.with_status(*states.LIVE):
        if task.is_changing:
            queues.setdefault(task.workspace_id, task)
    return list(queues.values())


def _everything_says_why_it_waits(view: View) -> None:
    broken = [(task.pk, task.status, task.reason_code) for task in view.tasks if task.breaks_promise]
    assert not broken, f"the watchdog barks at {broken}"
    for task in view.tasks:
        waits = not task.is_final and task.status != Status.RUNNING
        assert task.is_explained == waits, f"task {task.pk} is {task.status}, reason {task.reason_code}"
        assert not (task.is_stuck and task.is_final), f"task {task.pk} is over and stuck"
        lost = task.status == Status.NEEDS_ATTENTION
        assert not lost or task.is_stuck, f"task {task.pk} needs attention and does not count as stuck"


def _slots_add_up(view: View) -> None:
    leased = [task for task in view.tasks if task.lease]
    held = Counter((task.agent_id, task.slot) for task in leased)
    assert not held or max(held.values()) == 1, f"one slot holds several tasks: {held}"
    for task in leased:
        assert task.slot is not None and task.slot < view.capacity[task.agent_id], f"task {task.pk} has no real slot"
        bounded = task.lease == Lease.RUNNING or task.lease_expires_at is not None
        assert bounded, f"the slot of task {task.pk} is kept without end"


def _one_changing_task_per_workspace(view: View) -> None:
    first: dict[str, TaskRow] = {}
    for task in view.tasks:
        if task.is_final or not task.is_changing:
            continue
        head = first.setdefault(task.workspace_id, task)
        assert task is head or task.status == Status.WAITING, f"task {task.pk} does not wait for task {head.pk}"
        assert task is head or task.status not in ACTIVE


def _attempts_end_with_their_tasks(view: View) -> None:
    opened = defaultdict(list)
    for attempt in view.attempts:
        if not attempt.has_ended:
            opened[attempt.task_id].append(attempt.epoch)
        assert not attempt.has_ended or attempt.outcome, f"{attempt} ended without an outcome"
    for task in view.tasks:
        at_work = task.lease in {Lease.OFFERED, Lease.RUNNING} or task.status == Status.NEEDS_ATTENTION
        expected = [task.epoch] if at_work else []
        assert opened[task.pk] == expected, f"task {task.pk} is {task.status}, its open attempts are {opened[task.pk]}"


def _nothing_runs_that_nobody_confirmed(view: View, ledger: Ledger) -> None:
    for task in view.tasks:
        is_applying = task.status == Status.RUNNING and task.phase == "apply"
        if is_applying or task.status in {Status.CONFIRMED, Status.APPLIED}:
            word = ledger.confirmed.get(task.pk, [""])[-1]
            assert word == task.plan_digest, f"task {task.pk} is {task.status} with a plan that nobody confirmed"
        if task.status == Status.APPLIED:
            assert (task.pk, task.epoch) in ledger.attempts, f"task {task.pk} says applied and nothing was"
    permitted = {(attempt.task_id, attempt.epoch) for attempt in view.attempts if attempt.is_permitted}
    assert ledger.attempts <= permitted, f"applied without a permit: {ledger.attempts - permitted}"


def _what_needs_attention_holds_its_workspace(view: View) -> None:
    for task in view.with_status(Status.NEEDS_ATTENTION):
        assert view.held_by[task.workspace_id], f"task {task.pk} does not hold its workspace"


def restless(view: View, releasable: set[str]) -> list[str]:
    """Return the tasks that wait for anything but a person, with why. `releasable`: states a person may unlock."""
    heads: dict[str, TaskRow] = {}
    found = []
    for task in view.with_status(*states.LIVE):
        head = heads.setdefault(task.workspace_id, task) if task.is_changing else task
        if not _waits_for_a_person(task, head, view, releasable):
            found.append(f"task {task.pk} is {task.status} {task.lease}: {task.message}")
    return found


def _waits_for_a_person(task: TaskRow, head: TaskRow, view: View, releasable: set[str]) -> bool:
    if task.status in {Status.APPLY_PENDING, Status.NEEDS_ATTENTION}:
        return True
    if task.status == Status.WAITING:
        is_held = task.reason_code == "workspace_locked" and view.held_by[task.workspace_id] != ""
        return is_held or (task.reason_code == "queued_behind" and head is not task and not head.is_final)
    if task.status not in states.RUNNABLE:
        return False
    if task.reason_code == "workspace_locked":
        return view.held_by[task.workspace_id] != ""
    return task.reason_code == "pool_missing" or (
        task.reason_code == "state_locked" and task.workspace_id in releasable
    )
