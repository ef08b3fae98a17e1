"""Where a task runs: the runnable tasks of a pool are brought to its free slots, or told why not.

Any process may do it at any time. Passes over one pool follow one another (an advisory lock of the database, held for
one transaction), so each sees what the one before it decided, and an answer to a person is never a guess. A lost
process loses its lock with its connection; `lock_timeout` bounds the wait for a stalled one. A task whose row somebody
else holds is passed over: that one's news brings the next pass, or the next sweep where it changed nothing.

The sweep's pass over a long queue lets others in between its batches. What becomes free meanwhile goes to none of the
later batches, but to whom the next pass meets first: nobody overtakes those who were turned away.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial

from django.db import IntegrityError, transaction

from agents import capacity as capacities
from agents import placement, signals, turns
from agents.candidates import Candidate
from agents.capacity import Capacity
from agents.placement import Pass
from iacplatform.base.prepared import Given, Prepared
from pools.models import PoolType
from tasks import dispatching, moves, reasons
from tasks.models import Task
from tasks.models.querysets import Tasks

BATCH_TASKS = 200
"""Most tasks that one transaction looks at: their rows, and the pool's turn, are held for a fraction of a second."""

log = logging.getLogger(__name__)


def dispatch(pool_id: str | None, *, cause: str, task_id: int | None = None, most: int = BATCH_TASKS) -> Pass:
    """Offer slots to the pool's first runnable tasks in order, and write on the others why they wait.

    `task_id`: a task that is looked at even when `most` others come before it. Raises `DatabaseError`.
    """
    done = Pass(pool_id, cause)
    _look_at_batch(partial(_first, pool_id, most, task_id), done)
    _tell_of_pods(done)
    return _logged(done)


def dispatch_all(pool_id: str | None, *, cause: str) -> Pass:
    """Do the same with all of the pool's runnable tasks, one transaction for each batch.

    A batch that fails is logged, and its tasks say so (`dispatch_failed`); the others are dealt with.
    """
    done = Pass(pool_id, cause)
    queue = list(Task.objects.for_pool(pool_id).runnable().in_order().values_list("pk", flat=True))
    for start in range(0, len(queue), BATCH_TASKS):
        batch = queue[start : start + BATCH_TASKS]
        try:
            _look_at_batch(partial(_these, pool_id, batch), done)
        except Exception as error:
            _tell_failure(error, Task.objects.runnable().filter(pk__in=batch), pool=pool_id, cause=cause)
    if done.offers:  # who only waits still, the pool's timer sees
        _tell_of_pods(done)
    return _logged(done)


def try_dispatch(pool_id: str | None, *, cause: str, task_id: int | None = None) -> Pass | None:
    """Dispatch; a failure is logged, and shown (`dispatch_failed`) on the task that asked, or on those that wait."""
    try:
        return dispatch(pool_id, cause=cause, task_id=task_id)
    except Exception as error:
        waiting = Task.objects.runnable()
        failed = waiting.filter(id=task_id) if task_id else waiting.for_pool(pool_id).in_order()[:BATCH_TASKS]
        _tell_failure(error, failed, pool=pool_id, cause=cause, task=task_id)
        return None


def _tell_of_pods(done: Pass) -> None:
    pool = done.left.pool if done.left else None
    if pool is not None and pool.pool_type == PoolType.K8S:
        signals.announce(signals.demand_changed, pool.pk)


def _logged(done: Pass) -> Pass:
    if done.seen:
        log.info("Dispatched.", extra=done.log_fields())
    return done


def _tell_failure(error: Exception, waiting: Tasks, **facts: object) -> None:
    log.error("Dispatching failed.", exc_info=error, extra=facts)
    for task in waiting:
        moves.explain_wait(task, reasons.dispatch_failed(type(error).__name__))


def _look_at_batch(choose: Callable[[], list[Task]], done: Pass) -> None:
    """Wait for the pool's turn, look at the tasks that are chosen then, and commit."""
    try:
        done.add(_look(choose, done.part(is_careful=False)))
    except IntegrityError as error:
        # A slot filled in this instant, which no lock of ours forbids, and took the whole look with it.
        log.info("Looking again.", extra={"pool": done.pool_id, "error": type(error).__name__})
        done.add(_look(choose, done.part(is_careful=True)))


def _look(choose: Callable[[], list[Task]], part: Pass) -> Pass:
    with transaction.atomic():
        now = turns.wait(part.pool_id)
        if tasks := choose():
            part.left = _capacity(part, now)
            for task in tasks:
                placement.place(Candidate(task, part.left), part)
            moves.explain_waits(part.told)
    return part


def _capacity(done: Pass, now: datetime) -> Capacity:
    # Who asks by hand has looked at the agent: that it was deaf before is no answer to them.
    capacity = capacities.look(done.pool_id, now, waits_for_pauses=done.cause != dispatching.ASKED)
    if done.left is not None:
        capacity.keep_to(done.left)
    return capacity


def _waiting(pool_id: str | Given | None) -> Tasks:
    waiting = Task.objects.select_related("workspace__state_lock").for_pool(pool_id).runnable().in_order()
    return waiting.select_for_update(of=("self",), skip_locked=True, no_key=True)


def _these(pool_id: str | None, task_ids: list[int]) -> list[Task]:
    return list(_waiting(pool_id).filter(pk__in=task_ids))


def _first(pool_id: str | None, most: int, task_id: int | None) -> list[Task]:
    batch = _first_of_a_pool(most).all(pool_id=pool_id) if pool_id else list(_waiting(None)[:most])
    if len(batch) < most or task_id is None or any(task.pk == task_id for task in batch):
        return batch
    return [*batch, *_waiting(pool_id).filter(id=task_id)]


@cache
def _first_of_a_pool(most: int) -> Prepared[Task]:
    return Prepared(lambda: _waiting(Given.text("pool_id"))[:most])
