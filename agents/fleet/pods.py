"""The life of a pod, one step at a time: each is written down before the next, so that whoever finds it goes on.

To make one: its row, the pod, the row with the pod's UID, the token's row, the secret, the row again. To remove one: it
takes nothing new, the row says that it is to be deleted, the cluster is asked to, and the row ends when the cluster has
it no more. A step that was done before is done again without harm.
"""

import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction

from agents.fleet import draining, observations
from agents.fleet.observations import START_SECONDS, Sight, Trouble
from iacplatform.base import clock, wakeups
from pools import pod_specs
from pools.errors import ClusterError, NameTaken, Replaced
from pools.kube import Cluster
from pools.models import ENDING, Pod, PodPhase, PoolToken
from pools.sightings import SeenPod

KEEP = timedelta(days=7)
"""What became of pods stays readable for so long."""

UNCONNECTED_GRACE_SECONDS = 30
"""A pod whose agent never connected has nothing to finish."""

log = logging.getLogger(__name__)


def note(sight: Sight) -> None:
    """Write what the look shows of the pod on its row, unless somebody changed its phase meanwhile."""
    columns = observations.news(sight)
    if columns and _write(sight.pod, **columns) and columns.get("phase") == PodPhase.GONE:
        log.info("A pod is gone.", extra={"pod": sight.pod.name, "cause": sight.pod.cause})


def explained(failing: list[tuple[Sight, Trouble]], cluster: Cluster) -> list[tuple[Sight, Trouble]]:
    """Return them, the first of which nothing was said with the cluster's latest warning about that pod.

    One, as each question takes a call from the budget; and without an answer they are given up all the same.
    """
    silent = next((sight for sight, _ in failing if not (sight.pod.trouble or sight.pod.connected_at)), None)
    warnings = []
    if silent is not None:
        with suppress(ClusterError):
            warnings = cluster.events(silent.pod.name)
    said = "".join(f" {words}" for words in warnings[:1])
    return [
        (sight, replace(trouble, words=f"{trouble.words}{said}") if sight is silent else trouble)
        for sight, trouble in failing
    ]


def give_up(failing: Collection[tuple[Sight, Trouble]]) -> list[Trouble]:
    """Take out of service those that will not do what they are there for, where nothing holds a slot of them.

    Returns why, of those.
    """
    if not failing:
        return []
    idle = draining.drain_idle({sight.pod.pk: trouble.words for sight, trouble in failing})
    done = [(sight, trouble) for sight, trouble in failing if sight.pod.name in idle]
    for sight, trouble in done:
        known = {"trouble": trouble.code, "trouble_words": trouble.words}
        Pod.objects.filter(pk=sight.pod.pk, trouble="").update(**known, trouble_since=sight.now)
        sight.pod.phase = PodPhase.DRAINING
    return [trouble for _, trouble in done]


def create(pod: Pod, cluster: Cluster) -> None:
    """Have the cluster make the pod of a row, or find that it has; and give it its token. Raises `ClusterError`."""
    try:
        seen = cluster.create_pod(pod_specs.pod(pod))
    except NameTaken as taken:
        _write(pod, phase=PodPhase.GONE, gone_at=clock.now(), cause=f"Its name is another one's: {taken.words}")
        return
    made_from = pod_specs.hash_of(pod.pool.k8s_config) if pod.pool.k8s_config else ""
    if _write(pod, uid=seen.uid, phase=PodPhase.STARTING, config_hash=made_from):
        log.info("A pod was created.", extra={"pod": pod.name, "pool": pod.pool_id})
        equip(pod, cluster)


def equip(pod: Pod, cluster: Cluster) -> None:
    """Have the cluster hold the token of the pod's agent, whether it did before or not. Raises `ClusterError`."""
    if PoolToken.is_beyond_recall(pod):
        cluster.delete_secret(pod.name)
    token = PoolToken.give(pod)
    # A secret that is there now holds this very token: the pod's UID decides what it is.
    with suppress(NameTaken):
        cluster.create_secret(pod_specs.secret(pod, token, pod.uid))
    now = clock.now()
    _write(pod, equipped_at=now, deadline=pod.deadline or now + timedelta(seconds=START_SECONDS))


def needs_token(sight: Sight) -> bool:
    """Return whether the pod is there, and perhaps not its token."""
    pod, seen = sight.pod, sight.seen
    is_bare = pod.equipped_at is None and pod.connected_at is None
    return is_bare and pod.phase == PodPhase.STARTING and seen is not None and not seen.deleting


def is_leaving(sight: Sight) -> bool:
    """Return whether the pod is there, and its removal has begun, but not in the cluster."""
    is_asked_for = sight.seen is not None and sight.seen.deleting
    return sight.seen is not None and not is_asked_for and sight.pod.phase in ENDING


def is_to_be_deleted(sight: Sight, held: Collection[str], unsettled: Collection[str]) -> bool:
    """Return whether the cluster is to be asked for the end of a leaving pod, now that nothing holds a slot of it.

    `held`: names of pods that hold a lease at this moment; `unsettled`: of those whose agent may be in the middle of an
    apply, which nobody is any more where the cluster says that the pod is over.
    """
    is_over = sight.seen is not None and sight.seen.is_over
    return sight.pod.name not in held and (is_over or sight.pod.name not in unsettled)


def delete(sight: Sight, seen: SeenPod, cluster: Cluster) -> None:
    """Ask the cluster for the end of this very pod. Raises `ClusterError`."""
    pod = sight.pod
    if pod.phase == PodPhase.DRAINING:
        _write(pod, phase=PodPhase.DELETING, deadline=observations.ends_by(sight.member))
    grace = None if pod.connected_at else UNCONNECTED_GRACE_SECONDS
    # The next look finds that it is gone.
    with suppress(Replaced):
        cluster.delete_pod(pod.name, seen.uid, grace)
    log.info("A pod is being deleted.", extra={"pod": pod.name, "pool": pod.pool_id, "cause": pod.cause})


def delete_stranger(seen: SeenPod, cluster: Cluster) -> None:
    """Ask the cluster for the end of a pod of ours that no row knows. Raises `ClusterError`."""
    log.warning("A pod without a row is being deleted.", extra={"pod": seen.name, "pool": seen.pool_id})
    with suppress(Replaced):
        cluster.delete_pod(seen.name, seen.uid)


def forget_old() -> None:
    """Forget pods that have been gone for long."""
    Pod.objects.filter(phase=PodPhase.GONE, gone_at__lt=clock.now() - KEEP).delete()


def _write(pod: Pod, **columns: Any) -> bool:
    """Change the row unless its phase is another one now; return whether it did. Who is gone lets nobody in."""
    with transaction.atomic():
        if not Pod.objects.filter(pk=pod.pk, phase=pod.phase).update(**columns):
            return False
        if columns.get("phase") == PodPhase.GONE:
            _take_token(pod)
    for name, value in columns.items():
        setattr(pod, name, value)
    return True


def _take_token(pod: Pod) -> None:
    for token in PoolToken.objects.filter(pod=pod):
        wakeups.wake(f"token.{token.pk}")
        token.delete()
