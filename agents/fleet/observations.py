"""What a look at a cluster shows of the pods that we mean to have: values in, the columns of their rows out.

A pod that the list does not show is gone only because the list was whole, and the row's UID was known before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agents.fleet.members import Member
from pools.conditions import Condition
from pools.models import Pod, PodPhase
from pools.pod_specs import GRACE_SECONDS
from pools.sightings import SeenPod

CONNECT_SECONDS = 300
"""From the start of its container; then the agent has to be connected."""

START_SECONDS = 900
"""From when the cluster has all that the pod needs; then its container has to run. A node may have to come first."""

IDLE_END_SECONDS = 60
"""A pod without work ends within this, once it is told to."""

BRIEF_SECONDS = 60
"""An agent that fails so soon after it connected counts as one that did not start."""

SILENT_SECONDS = 30
"""For so long after its lease an agent that was cut off may come back; then its pod is replaced."""

_NO_IMAGE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_ON_ITS_WAY = frozenset({"", "ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A pod that we mean to have, and what the cluster shows of this very pod; None: nothing."""

    member: Member
    seen: SeenPod | None

    @property
    def pod(self) -> Pod:
        return self.member.pod

    @property
    def now(self) -> datetime:
        return self.member.now

    @property
    def is_staying(self) -> bool:
        """Whether nobody has begun to remove it."""
        return not self.member.is_leaving


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a pod does not do what it is there for. `code`: a pool's condition; `words`: the cluster's own."""

    code: Condition
    words: str


def match(members: Iterable[Member], listed: Iterable[SeenPod]) -> tuple[list[Sight], list[SeenPod]]:
    """Return what the list shows of each of our pods, and the listed pods that are none of them."""
    strangers = {seen.name: seen for seen in listed}
    sights = []
    for member in members:
        seen = strangers.get(member.pod.name)
        is_this = seen is not None and _is(member.pod, seen)
        sights.append(Sight(member=member, seen=strangers.pop(member.pod.name) if is_this else None))
    return sights, list(strangers.values())


def _is(pod: Pod, seen: SeenPod) -> bool:
    """Return whether it was made from this row, and is not another one under its name.

    By its UID, where the row knows that: the row of a pod that was adopted is not the one that the pod names.
    """
    is_this = seen.uid == pod.uid if pod.uid else seen.row == str(pod.pk)
    return is_this and seen.pool_id == pod.pool_id


def news(sight: Sight) -> dict[str, Any]:
    """Return the columns of the pod's row that are to change, with their new values."""
    pod, seen = sight.pod, sight.seen
    now = _absent(sight) if seen is None else _present(sight, seen)
    return {name: value for name, value in now.items() if getattr(pod, name) != value}


def _absent(sight: Sight) -> dict[str, Any]:
    pod = sight.pod
    if pod.phase == PodPhase.INTENDED:
        return {}
    unasked = f"The cluster has it no more, and the platform did not delete it.{_before(pod)}" if pod.uid else ""
    cause = pod.cause or (unasked if sight.is_staying else "")
    return {"phase": PodPhase.GONE, "gone_at": sight.now, "cause": cause, "deadline": None}


def _before(pod: Pod) -> str:
    return f" Before that: {pod.trouble_words}" if pod.trouble_words else ""


def _present(sight: Sight, seen: SeenPod) -> dict[str, Any]:
    pod = sight.pod
    columns: dict[str, Any] = {"uid": seen.uid, **_trouble(sight, seen)}
    if pod.phase == PodPhase.INTENDED:
        columns["phase"] = PodPhase.STARTING
    if seen.phase == "Running" and pod.started_at is None and pod.connected_at is None:
        columns |= {"started_at": sight.now, "deadline": sight.now + timedelta(seconds=CONNECT_SECONDS)}
    if seen.is_over or seen.deleting:
        columns |= _ending(sight, seen)
    return columns


def _ending(sight: Sight, seen: SeenPod) -> dict[str, Any]:
    """Return what is kept of a pod that has ended, or that somebody deletes."""
    pod = sight.pod
    if pod.phase == PodPhase.DELETING:
        return {}
    cause = _by_somebody(seen) if seen.deleting else how_it_ended(seen)
    return {"phase": PodPhase.DELETING, "cause": pod.cause or cause, "deadline": ends_by(sight.member)}


def ends_by(member: Member) -> datetime:
    """Return when a pod that is told to end now has to be gone: one that works may finish first."""
    grace = GRACE_SECONDS if member.leases or member.is_unsettled else 0
    return member.now + timedelta(seconds=grace + IDLE_END_SECONDS)


def how_it_ended(seen: SeenPod) -> str:
    """Return why a pod that is over ended, in the cluster's words."""
    code = f"exit code {seen.exit_code}" if seen.exit_code is not None else ""
    details = [seen.ended_reason, code, seen.disruption, seen.ended_message]
    said = "; ".join(dict.fromkeys(detail.strip() for detail in details if detail.strip()))
    return f"{seen.phase}: {said}" if said else f"{seen.phase}; the cluster does not say why."


def _by_somebody(seen: SeenPod) -> str:
    return f"It is being deleted, and not by the platform. {seen.disruption}".strip()


def _trouble(sight: Sight, seen: SeenPod) -> dict[str, Any]:
    pod, trouble = sight.pod, trouble_of(sight, seen)
    if trouble is None:
        # What a pod is removed for stays readable.
        return {"trouble": "", "trouble_words": "", "trouble_since": None} if sight.is_staying else {}
    since = pod.trouble_since if pod.trouble == trouble.code else sight.now
    return {"trouble": trouble.code, "trouble_words": trouble.words, "trouble_since": since or sight.now}


def trouble_of(sight: Sight, seen: SeenPod) -> Trouble | None:
    """Return what is wrong with a pod that is there, or None."""
    if not sight.is_staying:
        return _stuck(sight, seen)
    if seen.is_over:
        return ended(seen) if is_false_start(sight) else None
    return _silent(sight, seen) if sight.pod.connected_at else _held_up(seen)


def _held_up(seen: SeenPod) -> Trouble | None:
    """Return what keeps a pod from its start."""
    if seen.waiting_reason not in _ON_ITS_WAY:
        code = Condition.IMAGE_PULL_FAILED if seen.waiting_reason in _NO_IMAGE else Condition.POD_FAILED
        return Trouble(code=code, words=f"{seen.waiting_reason}: {seen.waiting_message}".rstrip(": "))
    if seen.unschedulable:
        return Trouble(code=Condition.POD_UNSCHEDULABLE, words=seen.unschedulable)
    return None


def _stuck(sight: Sight, seen: SeenPod) -> Trouble | None:
    """Return that a pod which was told to end is still there long after: mostly its node does not answer."""
    deadline = sight.pod.deadline
    if sight.pod.phase != PodPhase.DELETING or deadline is None or sight.now < deadline:
        return None
    told = f"It was told to end, and {seen.node or 'the cluster'} does not say that it did. {seen.disruption}"
    unheard = "The cluster was asked to delete it, and does not begin to: see what refuses that in the worker's log."
    return Trouble(code=Condition.POD_FAILED, words=told.strip() if seen.deleting else unheard)


def _silent(sight: Sight, seen: SeenPod) -> Trouble | None:
    """Return that the agent was connected, and has not been heard of for longer than it may."""
    presence = sight.member.presence
    long_ago = sight.now - timedelta(seconds=SILENT_SECONDS)
    if presence is None or not presence.is_lost or presence.agent.lease_until > long_ago:
        return None
    where = f"node {seen.node}" if seen.node else "its node"
    state = "calls it ready" if seen.ready else "does not call it ready"
    heard = f"{presence.agent.last_seen_at:%H:%M:%S} UTC" if presence.agent.last_seen_at else "its start"
    words = f"Its agent has not been heard of since {heard}; {where} {state}. {seen.disruption}"
    return Trouble(code=Condition.POD_FAILED, words=words.strip())


def ended(seen: SeenPod) -> Trouble:
    """Return that a pod is over, as a trouble."""
    return Trouble(code=Condition.POD_FAILED, words=how_it_ended(seen))


def is_false_start(sight: Sight) -> bool:
    """Return whether a pod that is over never did what it was there for, and was not told to end. Of the row before."""
    pod, seen = sight.pod, sight.seen
    if seen is None or seen.deleting or not (seen.is_over and sight.is_staying):
        return False
    if pod.connected_at is None:
        return True
    return seen.phase == "Failed" and sight.now - pod.connected_at < timedelta(seconds=BRIEF_SECONDS)
