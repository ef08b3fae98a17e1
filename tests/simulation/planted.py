"""Faults put in by hand, one at a time: the simulation has to find each of them, or it proves nothing."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from django.db import connection

from agents import sweep
from tasks import attempts, confirmation, moves, permits, plans, recovery, results
from tasks.models.querysets import Tasks
from tests import emptying
from workspaces import states


@dataclass(frozen=True)
class Planted:
    """A fault. `finds`: a piece of the promise's sentence that it breaks; `seed`: of a batch that finds it."""

    name: str
    plant: Callable[[], AbstractContextManager[None]]
    finds: str
    seed: int


def altered(owner: Any, name: str, old: str, new: str) -> Callable[[], AbstractContextManager[None]]:
    """Return a context in which a function has another text. Fails where it does not say `old` any more."""

    @contextmanager
    def plant() -> Iterator[None]:
        function = inspect.unwrap(getattr(owner, name))
        text = textwrap.dedent(inspect.getsource(function))
        assert old in text, f"{name} was changed: plant this fault anew"
        scope: dict[str, Any] = {}
        exec(text.replace(old, new), function.__globals__, scope)  # noqa: S102 - our own source
        with mock.patch.object(owner, name, scope[name]):
            yield

    return plant


@contextmanager
def without(index: str) -> Iterator[None]:
    """Drop an index of the database for a while."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [index])
        definition = cursor.fetchone()[0]
        cursor.execute(f'DROP INDEX "{index}"')
    try:
        yield
    finally:
        emptying.empty()  # of rows that the index would refuse
        with connection.cursor() as cursor:
            cursor.execute(definition)


FAULTS = (
    Planted(
        "A guard is dropped from a WHERE: what is offered counts as runnable",
        altered(Tasks, "runnable", ".exclude(lease=Lease.OFFERED)", ""),
        "its open attempts are",
        1,
    ),
    Planted(
        "A hint is taken for truth: the sweep does not look for runnable tasks",
        altered(sweep, "_look_at_everything", "        _runnable,\n", ""),
        "is stuck",
        2,
    ),
    Planted(
        "The epoch is not checked: words of an attempt of old count",
        altered(attempts, "locked", ', "task__epoch": epoch', ""),
        "which is another one's",
        2,
    ),
    Planted(
        "A lease is not freed: nobody gives up on silent agents",
        altered(sweep, "_look_at_everything", "[_lost_agents, _overtime]", "[_overtime]"),
        "which is silent",
        1,
    ),
    Planted(
        "A confirmation is not bound to the plan that was read",
        altered(confirmation, "_demand_this_plan", "if plan_digest == task.plan_digest or", "if plan_digest or"),
        "with a plan that nobody confirmed",
        29,
    ),
    Planted(
        "The sweep gives agents up that we could not hear",
        altered(sweep, "_look_at_everything", "could_hear = ", "could_hear = True or "),
        "was given up",
        2,
    ),
    Planted(
        "A permit is given again: what was permitted is taken for never begun",
        altered(recovery, "break_off", "attempt.permitted_at is not None", "False"),
        "applied twice for one confirmation",
        3,
    ),
    Planted(
        "A permit is not written down",
        altered(permits, "_decide", "permitted_at=clock.DatabaseNow()", "permitted_at=None"),
        "applied without a permit",
        1,
    ),
    Planted(
        "A reason is not written when it changes",
        altered(moves, "explain_wait", "unmoved.exclude(reason__isnull=True)", "unmoved.none()"),
        "these are stuck",
        5,
    ),
    Planted(
        "The workspace is not held for a task that needs attention",
        altered(recovery, "need_attention", "locks.hold_for_task", "(lambda *_: None)"),
        "does not hold its workspace",
        3,
    ),
    Planted(
        "A plan that was made for another state is applied",
        altered(plans, "is_outdated", "return (plan.lineage", "return False and (plan.lineage"),
        "a stale plan",
        11,
    ),
    Planted(
        "A new plan is confirmed by what was agreed before the first",
        altered(results._End, "_ready_to_apply", " and task.plan_count == 0", ""),
        "was confirmed",
        11,
    ),
    Planted(
        "The state lock of a plan outlives it",
        altered(attempts, "closing", "if attempt.phase != Phase.PLAN", "if True"),
        "is over and holds the state",
        20,
    ),
    Planted(
        "A state lock is let go of by somebody else",
        altered(states, "_demand_breakable", "if lock_id not in", "return\n    if lock_id not in"),
        "nobody let go of state lock",
        2,
    ),
)
