"""What agents tell of a task by query: that it was overlooked or forsaken, and when its agent was last heard of.

The gates decide what is dispatched. This asks, of all tasks at once, whether that has happened.
"""

from django.db.models import BooleanField, Count, Exists, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from agents import pauses, pod_waits
from agents.models import Agent
from agents.models.agent import Agents
from iacplatform.base import clock
from iacplatform.base.models import FAILING, SILENT_SECONDS, Beat
from pools.models import LOCAL, Pool
from tasks.attempts import ACCEPT_SECONDS
from tasks.models import Task, outlook
from tasks.reasons import Code, Turn
from tasks.states import RUNNABLE, Lease, Status
from workspaces.models import ExecutionMode, Workspace

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
        Code.POD_STARTING,
        *pod_waits.GRACE_SECONDS,
    }
)
"""Reasons of tasks that have passed every gate before the agents', as the last pass saw it."""


def connect() -> None:
    """Have tasks count as stuck by these signs, and rows that run carry what is known of their agent."""
    outlook.add_sign("overlooked", overlooked)
    outlook.add_sign("forsaken", forsaken)
    outlook.add_sign("misplaced", misplaced)
    outlook.add_fact("agent_seen_at", lambda: _agent_of_the_task().values("last_seen_at")[:1])
    outlook.add_fact("agent_lease_until", lambda: _agent_of_the_task().values("lease_until")[:1])


def overlooked() -> Q:
    """The condition of tasks that wait for a slot although one that fits has been free for some seconds."""
    a_while_ago = clock.In(seconds=-OVERLOOKED_SECONDS)
    is_full = Q(reason_code=Code.POOL_AT_MAX, reason__turn=Turn.MACHINE)
    for_a_slot = Q(reason_code__in=FOR_A_SLOT) | is_full
    waits = Q(for_a_slot, status__in=RUNNABLE, reason_since__lt=a_while_ago) & ~Q(lease=Lease.OFFERED)
    may_start = Q(not_before=None) | Q(not_before__lt=a_while_ago)
    # First what is asked once for all tasks: where nothing is free, thousands may wait, and each look at one is dear.
    may_find_one = Q(lease=Lease.RESERVED) | Q(workspace__in=_where_a_slot_is_free())
    return waits & may_start & may_find_one & Q(_HasAFreeSlot())


def _where_a_slot_is_free() -> QuerySet[Workspace]:
    """Return the workspaces whose pool has an agent with a slot that nobody holds."""
    held = Task.objects.exclude(lease=Lease.NONE).filter(agent_id=OuterRef("pk"), slot__lt=OuterRef("capacity"))
    number = held.order_by().values("agent_id").annotate(number=Count("pk")).values("number")
    roomy = Agent.objects.taking_work().filter(capacity__gt=Coalesce(Subquery(number), 0))
    pools = Pool.objects.filter(pk__in=roomy.values("pool_id"))
    is_local = Q(execution_mode=ExecutionMode.LOCAL)
    named = Workspace.objects.filter(~is_local, pool__in=pools)
    return (named | Workspace.objects.filter(is_local & Exists(pools.filter(name=LOCAL)))).order_by()


def forsaken() -> Q:
    """The condition of running tasks whose agent should have been given up."""
    long_silent = _agent_of_the_task().filter(lease_until__lt=clock.In(seconds=-SILENT_SECONDS))
    return Q(Exists(long_silent), status=Status.RUNNING)


def misplaced() -> Q:
    """The condition of tasks that are out of place in their queue while the sweep fails to put queues in order."""
    failing = Beat.objects.failing().filter(name=f"{FAILING}queues")
    return Q(Exists(failing), pk__in=Task.objects.misplaced().order_by().values("pk"))


def _agent_of_the_task() -> Agents:
    return Agent.objects.filter(pk=OuterRef("agent_id"))


class _HasAFreeSlot(Func):
    """Asks what the gates ask. A function of the database: it is planned only where a task has come so far."""

    function = "agents_overlooked"
    output_field = BooleanField()

    def __init__(self) -> None:
        spans = (OVERLOOKED_SECONDS, ACCEPT_SECONDS, pauses.REMEMBERED_SECONDS)
        super().__init__("pk", *(clock.span(seconds) for seconds in spans))
