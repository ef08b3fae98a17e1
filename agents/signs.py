"""What agents tell of a task by query: that it was overlooked or forsaken, and when its agent was last heard of.

The gates decide what is dispatched. This asks, of all tasks at once, whether that has happened.
"""

from typing import Any

from django.db.models import (
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    JSONField,
    OuterRef,
    Q,
    Subquery,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, JSONObject

from agents import pauses
from agents.models import Agent
from agents.models.agent import Agents
from iacplatform.base import clock
from iacplatform.base.models import SILENT_SECONDS
from pools.models import LOCAL
from tasks.models import Plan, Task, TaskEvent, outlook
from tasks.reasons import Code
from tasks.states import RUNNABLE, Lease, Status

OVERLOOKED_SECONDS = 5
"""How long a slot may be free that a task waits for. The fast path takes milliseconds, a sweep two seconds."""

FOR_A_SLOT = frozenset(
    {
        Code.DISPATCHING,
        Code.DISPATCH_FAILED,
        Code.NO_CONNECTED_AGENT,
        Code.NO_MATCHING_AGENT,
        Code.NO_FREE_SLOT,
        Code.OFFER_NOT_ACCEPTED,
        Code.RESERVATION_LOST,
        Code.RETRY_BACKOFF,
    }
)
"""Reasons of tasks that have passed every gate before the agents', as the last pass saw it."""


def connect() -> None:
    """Have tasks count as stuck by these signs, and rows that run carry what is known of their agent."""
    outlook.add_sign("overlooked", overlooked)
    outlook.add_sign("forsaken", forsaken)
    outlook.add_fact("agent_seen_at", lambda: _agent_of_the_task().values("last_seen_at")[:1])
    outlook.add_fact("agent_lease_until", lambda: _agent_of_the_task().values("lease_until")[:1])


def overlooked() -> Q:
    """The condition of tasks that wait for a slot although one that fits has been free for some seconds."""
    a_while_ago = clock.In(seconds=-OVERLOOKED_SECONDS)
    waits = Q(status__in=RUNNABLE, reason_code__in=FOR_A_SLOT, reason_since__lt=a_while_ago) & ~Q(lease=Lease.OFFERED)
    may_start = Q(not_before=None) | Q(not_before__lt=a_while_ago)
    return waits & may_start & (_has_a_kept_slot() | _for_a_plan() | _for_an_apply())


def forsaken() -> Q:
    """The condition of running tasks whose agent should have been given up."""
    long_silent = _agent_of_the_task().filter(lease_until__lt=clock.In(seconds=-SILENT_SECONDS))
    return Q(Exists(long_silent), status=Status.RUNNING)


def _agent_of_the_task() -> Agents:
    return Agent.objects.filter(pk=OuterRef("agent_id"))


def _has_a_kept_slot() -> Q:
    kept = _settled(Agent.objects.filter(pk=OuterRef("agent_id")))
    return Q(Exists(kept), lease=Lease.RESERVED, status=Status.CONFIRMED)


def _for_a_plan() -> Q:
    """An agent that has the engine; where none has it, any, which says so at once (`engine_missing`)."""
    fitting = Exists(_with_the_engine(_of_its_pool().taking_work()))
    free = Q(Exists(_with_the_engine(_free()))) | Q(~fitting, Exists(_free()))
    return Q(status=Status.PENDING) & free


def _for_an_apply() -> Q:
    return Q(Exists(_like_its_planner(_free())), status=Status.CONFIRMED)


def _of_its_pool() -> Agents:
    """Return the agents of the pool that the task's workspace names now."""
    named = Q(pool_id=OuterRef("workspace__pool_id")) & ~Q(mode="local")
    return Agent.objects.annotate(mode=_of_the_task("workspace__execution_mode")).filter(
        named | Q(mode="local", pool__name=LOCAL)
    )


def _free() -> Agents:
    leased = Task.objects.exclude(lease=Lease.NONE).filter(agent_id=OuterRef("pk"), slot__lt=OuterRef("capacity"))
    taken = leased.order_by().values("agent_id").annotate(count=Count("pk")).values("count")
    counted = _of_its_pool().annotate(taken=Coalesce(Subquery(taken), Value(0)))
    return _settled(counted.filter(capacity__gt=F("taken")))


def _settled(agents: Agents) -> Agents:
    """Narrow to agents at which nothing has happened for a while, and that take what they are offered."""
    a_while_ago = clock.In(seconds=-OVERLOOKED_SECONDS)
    moves = TaskEvent.objects.filter(at__gt=a_while_ago, task__attempts__agent_id=OuterRef("pk"))
    deaf = pauses.unanswered().filter(agent_id=OuterRef("pk"))
    return agents.taking_work().filter(~Exists(moves), ~Exists(deaf), connected_at__lt=a_while_ago)


def _with_the_engine(agents: Agents) -> Agents:
    name, version = OuterRef("workspace__engine"), OuterRef("workspace__terraform_version")
    exactly = Q(engines__contains=_list_of(JSONObject(name=name, version=version)))
    any_version = Q(wanted="", engines__contains=_list_of(JSONObject(name=name)))
    return agents.annotate(wanted=_of_the_task("workspace__terraform_version")).filter(exactly | any_version)


def _like_its_planner(agents: Agents) -> Agents:
    its_plan = {"task": OuterRef(OuterRef("pk")), "digest": OuterRef(OuterRef("plan_digest"))}
    plan = Plan.objects.filter(**its_plan).order_by("-attempt_id")
    made_with = plan.values(found=_list_of(JSONObject(name=F("engine"), version=F("version"))))[:1]
    return agents.filter(
        engines__contains=Subquery(made_with, output_field=JSONField()),
        os=Subquery(plan.values("os")[:1]),
        arch=Subquery(plan.values("arch")[:1]),
    )


def _of_the_task(column: str) -> Combinable:
    return ExpressionWrapper(OuterRef(column), output_field=CharField())


def _list_of(item: JSONObject) -> Any:
    return Func(item, function="jsonb_build_array", output_field=JSONField())
