"""The pods of pools, each with its agent and what holds slots there: six queries, however many pools and pods."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, OuterRef, Subquery

from agents import pauses
from agents.models import Agent
from agents.pauses import Pause
from iacplatform.base.models import Beat
from pools.models import COMING, STAYING, Pod, PodPhase
from tasks.models import Attempt, Task
from tasks.states import Lease, Status

_DEAF_LAPSES = 2
"""An agent that let so many offers in a row lapse, one after the other, is no capacity."""


AHEAD_SECONDS = 5
"""Two of our processes may write at once, and one of them be ahead of the other by this; more is a clock set back."""


@dataclass(frozen=True, kw_only=True)
class Presence:
    """What is known of a pod's agent. `last_ended`: when the attempt ended that it accepted last."""

    agent: Agent
    is_connected: bool
    is_lost: bool
    pause: Pause | None
    last_ended: datetime | None

    @property
    def takes_work(self) -> bool:
        """Whether what it is offered will be taken, as far as is known."""
        return self.is_connected and not self.agent.draining and not self.is_deaf

    @property
    def is_deaf(self) -> bool:
        """Whether it is connected, and lets lapse what it is offered."""
        return self.pause is not None and self.pause.lapses >= _DEAF_LAPSES


@dataclass(frozen=True, kw_only=True)
class Member:
    """A pod that is not gone. `leases`: slots of it that are offered, running or reserved.

    `is_unsettled`: its agent was lost in an apply, and may still be at it: nobody knows.
    """

    pod: Pod
    now: datetime
    leases: int = 0
    is_unsettled: bool = False
    presence: Presence | None = None

    @property
    def is_leaving(self) -> bool:
        """Whether its removal has begun, so that it takes nothing new, and counts for nothing."""
        return self.pod.phase not in STAYING

    @property
    def is_pinned(self) -> bool:
        """Whether it holds a lease, so that it stays."""
        return bool(self.leases) and not self.is_leaving

    @property
    def is_coming(self) -> bool:
        """Whether its agent is awaited, and its time for that is not over."""
        is_late = self.pod.deadline is not None and self.pod.deadline <= self.now
        return self.pod.phase in COMING and self.presence is None and not is_late

    @property
    def is_ready(self) -> bool:
        """Whether its agent is connected and takes work."""
        return self.presence is not None and self.presence.takes_work and not self.is_leaving

    @property
    def is_useless(self) -> bool:
        """Whether its agent is there no more, or deaf: it serves nobody until it is replaced."""
        if self.presence is None:
            return self.pod.phase == PodPhase.RUNNING and self.pod.connected_at is not None
        return self.presence.is_lost or self.presence.is_deaf

    @property
    def is_live(self) -> bool:
        """Whether it counts as a pod that the pool has: it holds a lease, serves, or will soon.

        An agent that was cut off within its lease is expected back. One that a person drains, and a pod that is past
        its deadline, being removed, or useless, are no capacity.
        """
        if self.is_pinned or self.is_coming:
            return True
        stays = self.presence is not None and not self.presence.agent.draining
        return stays and not self.is_useless and not self.is_leaving

    @property
    def is_idle(self) -> bool:
        """Whether nothing of it would be lost with it."""
        return not (self.leases or self.is_unsettled or self.is_leaving)

    @property
    def free(self) -> int:
        """Slots that can be offered now."""
        if self.presence is None or not self.is_ready or self.presence.pause is not None:
            return 0
        return max(0, self.presence.agent.capacity - self.leases)

    @property
    def idle_since(self) -> datetime:
        """Since when nothing has held a slot of it: its last lease was seen or ended then, or it came then."""
        ended = self.presence.last_ended if self.presence else None
        if ended is not None and ended > self.now + timedelta(seconds=AHEAD_SECONDS):
            ended = None  # of before the database's clock was set back; the row was seen to be busy until then
        moments = (self.pod.created_at, self.pod.connected_at, self.pod.last_busy_at, ended)
        return max(moment for moment in moments if moment is not None)


def of(pool_ids: Collection[str], now: datetime) -> dict[str, list[Member]]:
    """Return the pods of each pool that are not gone, the oldest first."""
    pods = list(Pod.objects.live().filter(pool_id__in=pool_ids).order_by("created_at", "name"))
    names = [pod.name for pod in pods]
    presences, leases, lost = _presences(names, now), _leases(names), unsettled(names)
    found: dict[str, list[Member]] = {pool_id: [] for pool_id in pool_ids}
    for pod in pods:
        presence = presences.get(pod.name)
        member = Member(pod=pod, now=now, leases=leases[pod.name], is_unsettled=pod.name in lost, presence=presence)
        found[pod.pool_id].append(member)
    return found


def busy(names: Collection[str]) -> set[str]:
    """Return those of the pods that hold a lease, or may be in the middle of an apply: two queries."""
    return held(names) | unsettled(names)


def held(names: Collection[str]) -> set[str]:
    """Return those of the pods that hold a lease."""
    return {name for name, leases in _leases(names).items() if leases}


def unsettled(names: Collection[str]) -> set[str]:
    """Return those of the pods whose agent was lost in an apply, and may still be at it."""
    lost = Task.objects.live().filter(status=Status.NEEDS_ATTENTION, pod_name__in=names)
    return set(lost.values_list("pod_name", flat=True))


def _leases(names: Collection[str]) -> Counter[str]:
    """Return how many slots of each pod are held."""
    held = Task.objects.exclude(lease=Lease.NONE).filter(pod_name__in=names).order_by().values("pod_name")
    return Counter(dict(held.annotate(leases=Count("pk")).values_list("pod_name", "leases")))


def _presences(names: Collection[str], now: datetime) -> dict[str, Presence]:
    """Return what is known of the agents that have connected, by the names of their pods."""
    accepted = Attempt.objects.filter(agent_id=OuterRef("pk"), accepted_at__isnull=False).order_by("-accepted_at")
    agents = Agent.objects.filter(pod_name__in=names).annotate(last_ended=Subquery(accepted.values("ended_at")[:1]))
    known = list(agents.order_by("lease_until"))
    paused = pauses.of(known)
    could_hear = Beat.objects.received_for(timedelta(seconds=settings.AGENT_LEASE_SECONDS))
    return {agent.pod_name: _presence(agent, paused.get(agent.pk), could_hear, now) for agent in known}


def _presence(agent: Agent, pause: Pause | None, could_hear: bool, now: datetime) -> Presence:
    is_within_lease = agent.lease_until > now
    return Presence(
        agent=agent,
        is_connected=is_within_lease and bool(agent.session),
        # An outage of ours is not the agents' death.
        is_lost=could_hear and not is_within_lease,
        pause=pause,
        last_ended=agent.last_ended,  # type: ignore[attr-defined]
    )
