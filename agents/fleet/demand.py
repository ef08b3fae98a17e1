"""How much work pools have now: one query for the queue, beside those for the pods, however many there are."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from agents.candidates import STICKY_SECONDS
from agents.fleet import members
from agents.fleet.members import Member
from agents.models import Agent
from iacplatform.base import clock
from pools.autoscaler import Demand
from pools.models import Pool
from tasks import states
from tasks.models import Task
from tasks.models.querysets import Tasks
from tasks.reasons import Code
from tasks.states import Lease

Roster = Mapping[str, Collection[Member]]
"""The pods of each pool."""


def of(pools: Collection[Pool], now: datetime) -> dict[str, Demand]:
    """Return the demand of each pool, by its id: the same number of queries for one pool and for a hundred."""
    return among(members.of([pool.pk for pool in pools], now))


def among(roster: Roster) -> dict[str, Demand]:
    """Return the demand of each pool whose pods are known already.

    `pinned`: pods that hold a lease and are not being removed. `free`: slots of those that could be offered to one who
    waits: the agent is connected, does not drain, and takes what it is offered. `queued`: tasks that need a slot now.

    These are the runnable ones that are not offered yet, of the workspaces that name the pool at this moment; not those
    that would not start if there were a slot: behind a lock of the workspace or of its state, in the pause after an
    attempt that broke off; nor those for which a slot is kept on an agent that takes work. Of those that no agent there
    could run (another engine, version or platform) one counts, not each, and no slot that is there is one for it: a pod
    of today's configuration comes, and stays to say so. A freeze window is a limit, and changes nothing here.
    """
    waiting = _waiting(roster)
    return {pool_id: _demand(pods, *waiting.get(pool_id, (0, 0))) for pool_id, pods in roster.items()}


def _demand(pods: Collection[Member], fit: int, unfit: int) -> Demand:
    pinned = [pod for pod in pods if pod.is_pinned]
    free = sum(pod.free for pod in pinned)
    return Demand(pinned=len(pinned), free=min(free, fit) if unfit else free, queued=fit + min(1, unfit))


def _waiting(roster: Roster) -> dict[str, tuple[int, int]]:
    """Return how many tasks of each pool need a slot, and how many more that no agent there could run."""
    needy = _startable(_runnable(roster)).exclude(_is_kept(roster)).order_by()
    misfit = Q(reason_code=Code.NO_MATCHING_AGENT)
    fit, unfit = Count("pk", filter=~misfit), Count("pk", filter=misfit)
    counted = needy.values("pool_now").annotate(fit=fit, unfit=unfit)  # type: ignore[misc] # stubs lose annotations
    return {each["pool_now"]: (each["fit"], each["unfit"]) for each in counted}


def _runnable(roster: Roster) -> Tasks:
    return Task.objects.runnable().with_pool().filter(pool_now__in=roster)  # type: ignore[misc] # stubs lose annotations


def _startable(tasks: Tasks) -> Tasks:
    is_locked = ~Q(workspace__locked_by="") | Q(workspace__state_lock__isnull=False)
    pauses = Q(not_before__gt=clock.DatabaseNow())
    return tasks.exclude(is_locked & Q(task_type__in=states.CHANGING)).exclude(pauses)


def _is_kept(roster: Roster) -> Q:
    """Whether the slot that is kept for a task, in the pool that its workspace names, can be used now or soon."""
    ready = [pod.pod.name for pods in roster.values() for pod in pods if pod.is_ready]
    is_here = Exists(Agent.objects.filter(pk=OuterRef("agent_id"), pool_id=OuterRef("pool_now")))
    confirmed_just_now = Q(confirmed_at__gt=clock.In(seconds=-STICKY_SECONDS))
    return Q(lease=Lease.RESERVED) & is_here & (Q(pod_name__in=ready) | confirmed_just_now)
