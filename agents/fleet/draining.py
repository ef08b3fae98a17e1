"""The first step of removing a pod: it takes nothing new. The second, in the cluster, is for whoever acts on rows.

Leases are given out in the pool's turn, and an agent connects with its pod's row locked: so between "nothing holds a
slot of it" and "it takes nothing new" nobody can come. A pod that holds a lease is never drained (incident 601).
"""

from collections.abc import Collection, Iterable, Mapping

from django.db import transaction

from agents import turns, work
from agents.fleet import members
from agents.fleet.members import Member
from agents.models import Agent
from iacplatform.base import wakeups
from pools.models import STAYING, Pod, PodPhase


def drain_if_idle(pod: Pod, cause: str = "") -> bool:
    """Take the pod out of service where nothing holds a slot of it; return whether that was so.

    `cause`: why it is removed, in a sentence for its row. False as well while the pool is at work this very moment:
    the next look tries again.
    """
    return bool(drain_idle({pod.pk: cause}))


def vacate(those: Iterable[Member]) -> None:
    """Let agents whose pods are on their way out take nothing new; what is kept there goes elsewhere at once.

    Whoever is told to end says so himself; not one on a node that has lost its cluster, which runs on and is connected.
    """
    for member in those:
        presence = member.presence
        if presence is not None and member.is_leaving and not presence.agent.draining:
            work.drain(presence.agent.pk, f"Pod {member.pod.name} is being deleted.")
            wakeups.wake(f"agent.{presence.agent.pk}")


def drain_idle(causes: Mapping[int, str]) -> set[str]:
    """Do so with pods of several pools, by their keys; return the names of those that are drained now."""
    with transaction.atomic():
        pods = _in_our_turn(causes)
        busy = members.busy([pod.name for pod in pods])
        idle = [pod for pod in pods if pod.name not in busy]
        for pod in idle:
            pod.phase, pod.cause = PodPhase.DRAINING, causes[pod.pk]
        Pod.objects.bulk_update(idle, ["phase", "cause"])
        names = {pod.name for pod in idle}
        Agent.objects.filter(pod_name__in=names).update(draining=True)
        return names


def _in_our_turn(keys: Collection[int]) -> list[Pod]:
    """Return those of the pods, their rows locked, that are in service and of pools at which nobody is now."""
    pools = set(Pod.objects.filter(pk__in=keys).values_list("pool_id", flat=True))
    ours = Pod.objects.filter(pk__in=keys, pool_id__in=turns.without_waiting(pools))
    in_service = ours.filter(phase__in=STAYING).order_by("pk")
    return list(in_service.select_for_update(no_key=True))
