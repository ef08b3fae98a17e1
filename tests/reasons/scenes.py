"""Each reason's situation as it really comes about, and what its remedy says to do.

`sweeps`: how often the sweep comes by before the reason is there; 0: the fast path says it in the same call. It comes
every two seconds, so one or two are within five.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection

from agents import capacity
from iacplatform.base import clock
from iacplatform.base.models import SILENT_SECONDS
from pools.models import Pool
from tasks.models import Task
from tasks.signals import task_moved
from tests import factories as rows
from tests.agents.scenes import workspace_of
from tests.reasons.surroundings import Build, Cure, Surroundings
from tests.tasks import factories
from workspaces.models import StateLock

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`moved`: the status or lease that shows that the cure moved the task, one of them; `turn`: whose it is."""

    code: str
    turn: str
    build: Build
    cure: Cure
    moved: tuple[str, ...]
    sweeps: int = 0
    sweeps_after: int = 0


def _locked(around: Surroundings) -> Task:
    place = factories.workspace()
    around.call(f"/workspaces/{place.pk}/lock", reason="holidays")
    return around.create(place)


def _unlock(around: Surroundings, task: Task) -> None:
    around.call(f"/workspaces/{task.workspace_id}/unlock")


def _confirmed_and_locked(around: Surroundings) -> Task:
    task = factories.awaiting_confirmation()
    around.press(task, "confirm-apply", plan_digest=task.plan_digest)
    around.call(f"/workspaces/{task.workspace_id}/lock", reason="holidays")
    return task


def _unlock_beside_its_planner(around: Surroundings, task: Task) -> None:
    around.connect("ada")
    _unlock(around, task)


def _second(around: Surroundings) -> Task:
    first = around.create()
    return around.create(first.workspace)


def _cancel_the_first(around: Surroundings, task: Task) -> None:
    around.press(Task.objects.get(workspace=task.workspace_id, pk__lt=task.pk), "cancel")


def _planned(around: Surroundings) -> Task:
    return factories.awaiting_confirmation()


def _confirm(around: Surroundings, task: Task) -> None:
    around.press(task, "confirm-apply", plan_digest=task.plan_digest)


def _without_pool(around: Surroundings) -> Task:
    return around.create(factories.workspace(execution_mode="agent"))


def _choose_a_pool(around: Surroundings, task: Task) -> None:
    pool = Pool.objects.create(name="static-1")
    around.connect("ada", pool=pool)
    around.change(f"/workspaces/{task.workspace_id}", pool_id=pool.pk)


def _no_pods(around: Surroundings) -> Task:
    return around.create(workspace_of(rows.k8s_pool(name="pods-1", min_replicas=0, max_replicas=0)))


def _raise_the_maximum(around: Surroundings, task: Task) -> None:
    pool = Pool.objects.get(name="pods-1")
    around.change(f"/pools/{pool.pk}", max_replicas=1)
    around.connect("pod-1", pool=pool)


def _frozen(around: Surroundings) -> Task:
    now = clock.now()
    edges = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
    window = {"days": DAYS, **edges, "timezone": "UTC"}
    pool = Pool.objects.create(name="static-1", freeze_windows=[window])
    around.connect("ada", pool=pool)
    return around.create(workspace_of(pool))


def _wait_for_the_end(around: Surroundings, task: Task) -> None:
    around.later(3601)


def _alone(around: Surroundings) -> Task:
    return around.create()


def _connect(around: Surroundings, task: Task) -> None:
    around.connect("ada")


def _planned_by_another_version(around: Surroundings) -> Task:
    around.connect("old", version="1.5.7")
    return factories.confirmed(on=factories.agent())


def _busy(around: Surroundings) -> Task:
    around.connect("bob")
    first = around.create()
    factories.running(first)
    return around.create()


def _deaf(around: Surroundings) -> Task:
    around.connect("deaf")
    task = around.create()
    around.lapse()
    return task


def _restart_it(around: Surroundings, task: Task) -> None:
    around.connect("deaf")


def _state_locked_by_a_person(around: Surroundings) -> Task:
    place = factories.workspace()
    around.connect("ada")
    StateLock.objects.create(workspace=place, lock_id="l-1", info={"Operation": "apply"}, holder="user:ann")
    return around.create(place)


def _that_run_ends(around: Surroundings, task: Task) -> None:
    address = f"/api/v1/workspaces/{task.workspace_id}/state"
    answer = around.api.generic("UNLOCK", address, '{"ID": "l-1"}', content_type="application/json")
    assert answer.status_code == 200, answer.content


def _state_locked_by_the_dead(around: Surroundings) -> Task:
    gone = factories.applying()
    place = gone.workspace
    held = {"holder": f"task:{gone.pk}", "task_id": gone.pk, "epoch": gone.epoch, "phase": "apply"}
    StateLock.objects.create(workspace=place, lock_id="l-2", info={"Operation": "apply"}, **held)
    factories.finish(gone, "failed", exit_code=1)
    around.connect("ada")
    return around.create(place)


def _release_the_lock(around: Surroundings, task: Task) -> None:
    around.press(task, "release-lock", reason="Its run is over.")


def _broke_off(around: Surroundings) -> Task:
    task = factories.backing_off()
    around.connect("ada")
    return task


def _retry(around: Surroundings, task: Task) -> None:
    around.press(task, "retry")


def _outdated(around: Surroundings) -> Task:
    task = factories.awaiting_confirmation()
    factories.upload_state(task.workspace_id)
    return task


def _slot_given_up(around: Surroundings) -> Task:
    task = factories.awaiting_confirmation(on=factories.agent("ada", connected=True))
    around.silence(task.agent_id)
    return task


def _dispatch_breaks(around: Surroundings) -> Task:
    around.connect("ada")
    with around.patch.context() as patch:
        patch.setattr(capacity, "look", _fail)
        return around.create()


def _fail(*anything: Any) -> None:
    raise OperationalError("canceling statement due to lock timeout")


def _nobody_sweeps(around: Surroundings) -> Task:
    around.connect("ada")
    with around.patch.context() as patch:
        patch.setattr(task_moved, "send_robust", lambda **news: [])
        task = around.create()
    around.later(SILENT_SECONDS + 3)
    return task


def _start_a_worker(around: Surroundings, task: Task) -> None:
    around.sweep()


def _lost(around: Surroundings) -> Task:
    task = factories.applying(on=factories.agent("ada", connected=True))
    around.silence(task.agent_id)
    return task


def _mark_failed(around: Surroundings, task: Task) -> None:
    around.press(task, "mark-failed", reason="Looked at it.")


OFFERED = ("offered",)

SCENES = {
    "locked by a person": Scene(
        code="workspace_locked", turn="person", build=_locked, cure=_unlock, moved=("pending",)
    ),
    "locked when confirmed": Scene(
        code="workspace_locked",
        turn="person",
        build=_confirmed_and_locked,
        cure=_unlock_beside_its_planner,
        moved=OFFERED,
    ),
    "behind another task": Scene(
        code="queued_behind", turn="machine", build=_second, cure=_cancel_the_first, moved=("pending",)
    ),
    "planned": Scene(code="awaiting_confirmation", turn="person", build=_planned, cure=_confirm, moved=("confirmed",)),
    "without a pool": Scene(
        code="pool_missing", turn="config", build=_without_pool, cure=_choose_a_pool, moved=OFFERED
    ),
    "a pool of no pods": Scene(
        code="pool_at_max", turn="config", build=_no_pods, cure=_raise_the_maximum, moved=OFFERED
    ),
    "in a freeze window": Scene(
        code="pool_frozen", turn="time", build=_frozen, cure=_wait_for_the_end, moved=OFFERED, sweeps_after=1
    ),
    "no agent": Scene(code="no_connected_agent", turn="person", build=_alone, cure=_connect, moved=OFFERED),
    "no agent of that version": Scene(
        code="no_matching_agent", turn="config", build=_planned_by_another_version, cure=_connect, moved=OFFERED
    ),
    "every slot taken": Scene(code="no_free_slot", turn="machine", build=_busy, cure=_connect, moved=OFFERED),
    "an agent that takes nothing": Scene(
        code="offer_not_accepted", turn="machine", build=_deaf, cure=_restart_it, moved=OFFERED, sweeps=1
    ),
    "an agent that takes nothing, and another one": Scene(
        code="offer_not_accepted", turn="machine", build=_deaf, cure=_connect, moved=OFFERED, sweeps=1
    ),
    "state locked outside": Scene(
        code="state_locked",
        turn="person",
        build=_state_locked_by_a_person,
        cure=_that_run_ends,
        moved=OFFERED,
        sweeps_after=1,
    ),
    "state locked by the dead": Scene(
        code="state_locked",
        turn="person",
        build=_state_locked_by_the_dead,
        cure=_release_the_lock,
        moved=OFFERED,
        sweeps_after=1,
    ),
    "broke off": Scene(code="retry_backoff", turn="time", build=_broke_off, cure=_retry, moved=OFFERED),
    "stale plan": Scene(code="plan_stale", turn="person", build=_outdated, cure=_retry, moved=("pending",)),
    "reservation lost": Scene(
        code="reservation_lost", turn="person", build=_slot_given_up, cure=_confirm, moved=("confirmed",), sweeps=1
    ),
    "dispatch broke": Scene(code="dispatch_failed", turn="machine", build=_dispatch_breaks, cure=_retry, moved=OFFERED),
    "nobody sweeps": Scene(
        code="scheduler_silent", turn="machine", build=_nobody_sweeps, cure=_start_a_worker, moved=OFFERED
    ),
    "lost in mid-apply": Scene(
        code="agent_lost", turn="person", build=_lost, cure=_mark_failed, moved=("failed",), sweeps=1
    ),
    "lost in mid-apply, tried again": Scene(
        code="agent_lost", turn="person", build=_lost, cure=_retry, moved=("failed",), sweeps=1
    ),
}


@contextmanager
def rule_suspended(table: str, name: str) -> Iterator[None]:
    """Let rows break a rule of the database, as they could only by a fault of ours; afterwards it holds again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name])
        rule = cursor.fetchone()[0]
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        try:
            yield
        finally:
            cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {rule}')
