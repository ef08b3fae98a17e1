"""The sentences for a task that waits for a pod: one that starts, one that cannot be had, or one that works."""

from datetime import datetime, timedelta
from typing import Any

from agents.capacity import Capacity
from agents.supply import Hindrance, Supply
from agents.waits import CAPACITY_GRACE_SECONDS, CONFIG_GRACE_SECONDS
from pools import conditions
from pools.models import Pod, Pool
from tasks.reasons import Code, Turn, WaitReason

ASKED_GRACE_SECONDS = 60
"""A pod that is needed is asked for within seconds."""

REPLACED_GRACE_SECONDS = 300
"""An agent that was cut off comes back, or its pod is replaced."""

LATE_SECONDS = 30
"""After a pod's deadline: time for the next looks at the cluster to give it up."""

LONGEST_WORDS = 1000

GRACE_SECONDS = {
    Code.CLUSTER_UNREACHABLE: 120,
    Code.CLUSTER_FORBIDDEN: CONFIG_GRACE_SECONDS,
    Code.QUOTA_EXCEEDED: 300,
    Code.POD_UNSCHEDULABLE: 300,
    Code.IMAGE_PULL_FAILED: 120,
    Code.POD_FAILED: 120,
    Code.AGENT_NEVER_CONNECTED: CONFIG_GRACE_SECONDS,
}
"""How long each may hold a task up that nobody else could take: a node or a quota may come by itself, rights do not."""

_UNWATCHED = "Nobody looks at its cluster: an operator starts a worker with manage.py qcluster, or reads its log."


def missing_slot(capacity: Capacity, supply: Supply) -> WaitReason:
    """No slot of the pool's connected agents is free, or none of its agents is connected."""
    if capacity.rooms and supply.is_complete:
        return pool_at_max(capacity, supply)
    if supply.hindrance is not None:
        return hindered(capacity, supply, supply.hindrance)
    if supply.coming:
        return pod_starting(capacity, supply)
    return pod_asked_for(capacity, supply) if capacity.rooms else no_connected_agent(capacity, supply)


def pool_allows_none(pool: Pool) -> WaitReason:
    """The pool may have no pods at all."""
    return WaitReason(
        code=Code.POOL_AT_MAX,
        turn=Turn.CONFIG,
        message=f"Pool {pool.name} may have at most 0 pods.",
        remedy="Raise the pool's maximum; a pod is asked for at once.",
        blocker=_pool(pool),
        evidence={"max_replicas": 0},
        actions=("cancel",),
        grace_seconds=CONFIG_GRACE_SECONDS,
    )


def pool_at_max(capacity: Capacity, supply: Supply) -> WaitReason:
    """Every slot is taken, and no other pod may come."""
    pool, most = supply.pool, supply.pool.max_replicas
    beyond = " Those beyond it take nothing new: they end what they hold, and go." if len(supply.staying) > most else ""
    return WaitReason(
        code=Code.POOL_AT_MAX,
        turn=Turn.MACHINE,
        message=f"{_taken(capacity)} Pool {pool.name} has {len(supply.staying)} of at most {_pods(most)}.{beyond}",
        remedy="It starts when a slot becomes free. Raise the pool's maximum to start it sooner.",
        blocker=_pool(pool),
        evidence=_numbers(capacity, supply),
        actions=("cancel",),
        grace_seconds=CAPACITY_GRACE_SECONDS,
    )


def pod_asked_for(capacity: Capacity, supply: Supply) -> WaitReason:
    """Every slot is taken, and a pod will come that has more."""
    late = f" {_UNWATCHED}" if supply.is_unwatched else ""
    return WaitReason(
        code=Code.NO_FREE_SLOT,
        turn=Turn.MACHINE,
        message=f"{_taken(capacity)} Another pod is being asked for.",
        remedy=f"Nothing to do: it starts on that pod, or on a slot that becomes free before.{late}",
        blocker=_pool(supply.pool),
        evidence=_numbers(capacity, supply),
        actions=("retry", "cancel"),
        grace_seconds=ASKED_GRACE_SECONDS,
    )


def no_connected_agent(capacity: Capacity, supply: Supply) -> WaitReason:
    """No agent is connected that takes anything new, and no pod is starting."""
    pool, leaving = supply.pool, capacity.leaving
    but = f" but {leaving}, which take nothing new because they are leaving" if leaving else ""
    late = f" {_UNWATCHED}" if supply.is_unwatched else ""
    return WaitReason(
        code=Code.NO_CONNECTED_AGENT,
        turn=Turn.MACHINE,
        message=f"No agent of pool {pool.name} is connected{but}. {_what_comes(supply)}",
        remedy=f"Nothing to do: it starts as soon as an agent connects.{late}",
        blocker=_pool(pool),
        evidence={**_numbers(capacity, supply), "leaving": leaving},
        actions=("retry", "cancel"),
        grace_seconds=REPLACED_GRACE_SECONDS if supply.is_full else ASKED_GRACE_SECONDS,
    )


def pod_starting(capacity: Capacity, supply: Supply) -> WaitReason:
    """A pod is on its way; its agent has not connected yet."""
    first, more = supply.coming[0], len(supply.coming) - 1
    others = f", {more} more with it" if more else ""
    until = f" If it has not by {first.deadline:%H:%M:%S} UTC, another pod is made." if first.deadline else ""
    late = f" {_UNWATCHED}" if supply.is_unwatched else ""
    return WaitReason(
        code=Code.POD_STARTING,
        turn=Turn.MACHINE,
        message=f"Pod {first.name} of pool {supply.pool.name} is starting{others}; its agent has not connected yet.",
        remedy=f"Nothing to do: it starts as soon as the pod's agent connects.{until}{late}",
        blocker=_pod(first),
        evidence={**_numbers(capacity, supply), "asked_for_at": _moment(first.created_at)},
        actions=("retry", "cancel"),
        deadline=first.deadline + timedelta(seconds=LATE_SECONDS) if first.deadline else None,
        grace_seconds=ASKED_GRACE_SECONDS,
    )


def hindered(capacity: Capacity, supply: Supply, hindrance: Hindrance) -> WaitReason:
    """The pool cannot have the pod that it needs, or its last ones came to nothing."""
    pool, code = supply.pool, _code(hindrance)
    meaning = conditions.meaning(code)
    taken = f"{_taken(capacity)} " if capacity.rooms else ""
    return WaitReason(
        code=code,
        turn=Turn.CLUSTER,
        message=f"{taken}Pool {pool.name} gets no pod that works. {meaning.means}{_quoted(hindrance)}",
        remedy=f"{meaning.remedy} {_where(pool, hindrance.pod)}{_next(hindrance)}",
        blocker=_pod(hindrance.pod) if hindrance.pod else _pool(pool),
        evidence={**_numbers(capacity, supply), **_history(hindrance)},
        actions=("retry", "cancel"),
        # Where others work, it moves as soon as one of them is done: then it is not stuck, only slower.
        grace_seconds=CAPACITY_GRACE_SECONDS if capacity.rooms else GRACE_SECONDS[code],
    )


def _code(hindrance: Hindrance) -> Code:
    known = hindrance.code in {code.value for code in GRACE_SECONDS}
    return Code(hindrance.code) if known else Code.POD_FAILED


def _what_comes(supply: Supply) -> str:
    if not supply.is_full:
        return "A pod is being asked for."
    names = " and ".join(pod.name for pod in supply.staying[:3])
    return f"It has {_pods(len(supply.staying))} ({names}), as many as it may; an agent that stays away is replaced."


def _taken(capacity: Capacity) -> str:
    if any(room.is_closed for room in capacity.rooms):
        return "No slot of the pods that take new work is free."
    return f"Every slot of the connected agents is taken ({capacity.summary()['slots']} in all)."


def _quoted(hindrance: Hindrance) -> str:
    said = " ".join(hindrance.words.split())
    if len(said) > LONGEST_WORDS:
        said = f"{said[:LONGEST_WORDS]}…"
    whom = f" of pod {hindrance.pod.name}" if hindrance.pod else ""
    return f' The cluster says{whom}: "{said}".' if said else ""


def _where(pool: Pool, pod: Pod | None) -> str:
    config = pool.k8s_config
    if config is None:
        return ""
    more = f" More is shown by: kubectl --namespace {config.namespace} describe pod {pod.name}." if pod else ""
    return f"The pool's K8s config is {config.name}, its namespace {config.namespace}.{more}"


def _next(hindrance: Hindrance) -> str:
    return f" The next pod is asked for at {hindrance.retry_at:%H:%M:%S} UTC, by itself." if hindrance.retry_at else ""


def _history(hindrance: Hindrance) -> dict[str, Any]:
    return {
        "cluster_says": hindrance.words,
        "times": hindrance.count,
        "seen_since": _moment(hindrance.since),
        "next_try_at": _moment(hindrance.retry_at),
    }


def _numbers(capacity: Capacity, supply: Supply) -> dict[str, Any]:
    pods = {"pods": len(supply.staying), "starting": len(supply.coming), "max_replicas": supply.pool.max_replicas}
    return {**capacity.summary(), **pods}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _pods(number: int) -> str:
    return f"{number} pod" if number == 1 else f"{number} pods"


def _pool(pool: Pool) -> dict[str, str]:
    return {"kind": "pool", "id": pool.pk}


def _pod(pod: Pod) -> dict[str, str]:
    return {"kind": "pod", "id": pod.name}
