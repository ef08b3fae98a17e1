"""What slots on pods mean for the pods, and the end of pods for the slots."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from agents import work
from agents.fleet import members
from agents.fleet.observations import Sight
from agents.models import Agent
from pools.kube import Cluster
from pools.models import K8sConfig, Pod, PodPhase
from tasks.models import Task

PINNED = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
"""Annotations of a pod of which a slot is held: whoever tidies up nodes leaves it alone (contract, K8s config)."""


def pins(sight: Sight, config: K8sConfig) -> dict[str, str | None]:
    """Return the annotations of the pod that are to change; None takes one away."""
    seen = sight.seen
    if seen is None or seen.is_over or seen.deleting:
        return {}
    wanted = {key: value if sight.member.leases else config.annotations.get(key) for key, value in PINNED.items()}
    return {key: value for key, value in wanted.items() if seen.annotations.get(key) != value}


def pin(sight: Sight, change: dict[str, str | None], cluster: Cluster) -> None:
    """Write these annotations of the pod. Raises `ClusterError`."""
    cluster.annotate(sight.pod.name, sight.pod.uid, change)


def lose(config: K8sConfig, sights: Collection[Sight]) -> None:
    """Free at once what is held on pods that are over or gone, and forget the agents that are gone with them.

    Not while an agent is connected: then the cluster is wrong about its end, or its connection will tell.
    """
    over = [sight.pod.name for sight in sights if sight.seen is not None and sight.seen.is_over]
    gone = Exists(Pod.objects.filter(name=OuterRef("pod_name"), pool_id=OuterRef("pool_id"), phase=PodPhase.GONE))
    agents = Agent.objects.with_presence().filter(Q(pod_name__in=over) | Q(gone), pool__k8s_config=config)
    silent = [agent for agent in agents if not agent.is_connected]
    for agent in silent:
        _lose(agent)
    if silent:
        _forget([agent for agent in silent if agent.pod_name not in over])


def _lose(agent: Agent) -> None:
    cause = Pod.objects.filter(name=agent.pod_name).values_list("cause", flat=True).first()
    for task in Task.objects.leased_by(agent.pk):
        why = f"Pod {agent.pod_name} is gone. {cause or ''}".strip()
        work.lose(task, agent.pk, why, last_seen=agent.last_seen_at)


def _forget(gone: Collection[Agent]) -> None:
    busy = members.busy([agent.pod_name for agent in gone])
    Agent.objects.filter(pk__in=[agent.pk for agent in gone if agent.pod_name not in busy]).delete()
