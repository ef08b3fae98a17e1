"""What a query says of a task at this moment: is it stuck, does nobody look at it, what do its warnings rest on.

Tasks know nothing of agents. What the layer above can tell of a task by query, it adds here when it is loaded.
"""

from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Case, Exists, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable

from iacplatform.base import clock
from iacplatform.base.models import SILENT_SECONDS, SWEEP, Beat
from tasks import states
from tasks.states import Status

Sign = Callable[[], Q]
Fact = Callable[[], QuerySet[Any]]

_BOUNDED = frozenset({Status.PENDING, Status.CONFIRMED, Status.RUNNING})
"""They have a deadline: by then they should have moved."""

_MOVED_ON = frozenset({Status.WAITING, Status.PENDING, Status.CONFIRMED})
"""The sweep moves them on when nobody else does; what awaits confirmation or needs attention, people do."""

_signs: dict[str, Sign] = {}
_facts: dict[str, Fact] = {}


def add_sign(name: str, sign: Sign) -> None:
    """Have tasks count as stuck that this condition holds for."""
    _signs[name] = sign
    is_stuck.cache_clear()


def add_fact(name: str, fact: Fact) -> None:
    """Have rows that run carry the value of this subquery, which may refer to them, under this name."""
    _facts[name] = fact


@cache
def is_stuck() -> Q:
    """The condition of tasks that cannot move by themselves or should have moved by now: the one definition.

    Waiting for a person is none: a plan may wait for its reader, and a task in the queue for the one before it.
    """
    overdue = Q(status__in=_BOUNDED, deadline__lt=clock.DatabaseNow())
    told = [sign() for sign in _signs.values()]
    # Final rows are excluded apart from the rest, so that the partial index of live tasks serves all of it.
    return ~Q(status__in=states.FINAL) & reduce(or_, [Q(status=Status.NEEDS_ATTENTION), overdue, is_silent(), *told])


def is_silent() -> Q:
    """The condition of tasks that the sweep should have looked at, and did not."""
    # An unchanged reason is not written again: who looked last, the sweep's own row says.
    swept = Beat.objects.filter(name=SWEEP, at__gt=clock.In(seconds=-SILENT_SECONDS))
    return Q(~Exists(swept), status__in=_MOVED_ON, next_check_at__lt=clock.In(seconds=-SILENT_SECONDS))


def columns() -> dict[str, Combinable]:
    """Return what rows read `with_outlook` carry beside their own columns."""
    last_look = Beat.objects.filter(name=SWEEP).values("at")[:1]
    judged = {"is_stuck": _flag(is_stuck()), "is_silent": _flag(is_silent())}
    running = {name: _while_it_runs(fact()) for name, fact in _facts.items()}
    return {**judged, "seen_at": clock.DatabaseNow(), "last_look": Subquery(last_look), **running}


def _flag(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _while_it_runs(rows: QuerySet[Any]) -> Case:
    return Case(When(status=Status.RUNNING, then=Subquery(rows)))
