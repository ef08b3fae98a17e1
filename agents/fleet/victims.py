"""Which pod a pool can do without: at most one at a time, and never one that holds a lease."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.fleet.members import Member
from pools.models import Pod, PodPhase


@dataclass(frozen=True, kw_only=True)
class Victim:
    """A pod that may go, and why, in a sentence."""

    pod: Pod
    cause: str


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is known of a pool when a victim is sought.

    `most`: pods that it may have at all, more only where they hold leases; `desired`: pods that it should have;
    `surplus_since`: since when it has had more than that; `config_hash`: of what new pods are made from;
    `can_replace`: whether nothing is known to keep a new pod from coming; `stable_seconds`: for so long a pool keeps
    what it needs no more, as demand that fell for a moment comes back.
    """

    members: Sequence[Member]
    now: datetime
    most: int
    desired: int
    surplus_since: datetime | None
    idle_seconds: int
    slots: int
    config_hash: str
    stable_seconds: int
    can_replace: bool = True

    @property
    def live(self) -> list[Member]:
        """Pods that count."""
        return [member for member in self.members if member.is_live]

    @property
    def staying(self) -> list[Member]:
        """Pods whose removal has not begun, whatever they are good for."""
        return [member for member in self.members if not member.is_leaving]

    @property
    def settled(self) -> list[Member]:
        """Live pods whose agents are there: those that one can rely on while another one goes."""
        return [member for member in self.live if not member.is_coming]

    @property
    def outdated(self) -> list[Member]:
        """Idle live pods that were made from another configuration than today's, or with another number of slots."""
        made = (self.config_hash, self.slots)
        return [it for it in self.live if it.is_idle and (it.pod.config_hash, it.pod.slots) != made]

    @property
    def is_surplus(self) -> bool:
        """Whether the pool has more pods than it should."""
        return len(self.live) > self.desired

    @property
    def needs_stand_in(self) -> bool:
        """Whether a pod should come before an outdated one goes, so that the pool has at no time too few."""
        return bool(self.outdated) and not self.is_surplus


def choose(situation: Situation) -> Victim | None:
    """Return the pod that goes next; None where none does, or the one before is not on its way out yet."""
    if any(member.pod.phase == PodPhase.DRAINING for member in situation.members):
        return None
    found = (_first(rule(situation)) for rule in (_useless, _held_up, _beyond_most, _outdated, _surplus))
    return next((victim for victim in found if victim is not None), None)


def _first(fits: Iterator[tuple[Member, str]]) -> Victim | None:
    """Return the one that has been idle for longest."""
    longest = min(fits, key=lambda fit: fit[0].idle_since, default=None)
    return Victim(pod=longest[0].pod, cause=longest[1]) if longest else None


_Rule = Callable[[Situation], Iterator[tuple[Member, str]]]


def _useless(at: Situation) -> Iterator[tuple[Member, str]]:
    for member in at.members:
        if member.is_idle and member.is_useless:
            yield member, _why_useless(member)


def _why_useless(member: Member) -> str:
    if member.presence is not None and member.presence.agent.draining:
        return "Its agent was told to take nothing new, and has left."
    return "Its agent was not heard of any more, or took nothing that it was offered."


def _held_up(at: Situation) -> Iterator[tuple[Member, str]]:
    """Pods that something keeps from starting, and whose configuration has changed since: that may be the remedy."""
    for member in at.outdated:
        if member.is_coming and member.pod.trouble:
            yield member, "It could not start, and the pool's configuration has changed since."


def _beyond_most(at: Situation) -> Iterator[tuple[Member, str]]:
    """Whom a lowered maximum or a freeze window leaves no place: that passes by no waiting, so nobody waits."""
    if len(at.live) > at.most:
        for member in _awaited_first(at):
            yield member, f"The pool may have {at.most} pods now, and this one held no lease."


def _awaited_first(at: Situation) -> list[Member]:
    """Return the idle ones: those whose agents are not there yet, or else all."""
    idle = [member for member in at.live if member.is_idle]
    return [member for member in idle if member.is_coming] or idle


def _outdated(at: Situation) -> Iterator[tuple[Member, str]]:
    """Pods of an older configuration, where another one has come in place of them, or could only come after them."""
    has_stand_in = len(at.settled) > at.desired
    has_no_room = len(at.staying) >= at.most and len(at.settled) == len(at.live) and at.can_replace
    if has_stand_in or has_no_room:
        for member in at.outdated:
            yield member, "It was made from an older configuration of the pool."


def _surplus(at: Situation) -> Iterator[tuple[Member, str]]:
    """Pods that were not needed for a while, of a pool that has had too many for a while."""
    if at.surplus_since is None or at.now - at.surplus_since < timedelta(seconds=at.stable_seconds):
        return
    for member in at.live:
        idle_seconds = (at.now - member.idle_since).total_seconds()
        # Who serves goes only where enough others serve, not where they only may come.
        is_spare = at.is_surplus and (member.is_coming or len(at.settled) > at.desired)
        if member.is_idle and is_spare and idle_seconds >= at.idle_seconds:
            yield member, f"It was idle for {idle_seconds:.0f} s, and the pool needs {at.desired} pods."
