"""How many pods there are: by our code, by the formulas of two others as their sources and documents say, by foresight.

HCP Terraform operator (`internal/controller/agentpool_controller_autoscaling.go`): every 30 s, workspaces with a run
that needs no person, between minimum and maximum, unless the last change is younger than the cool-down. The ReplicaSet
chooses whom to delete: pods that are not ready, then the youngest. KEDA ScaledJob
(`pkg/scaling/executor/scale_jobs.go`): every 30 s, jobs for the length of the queue; each ends with its task.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from django.conf import settings

from agents.fleet import victims
from agents.fleet.members import Member, Presence
from agents.fleet.victims import Situation
from agents.models import Agent
from benchmarks.scaling_world import TICK, Figures, Pod, Trace, World
from pools import autoscaler
from pools.autoscaler import Demand, Limits
from pools.models import Pod as Row
from pools.models import PodPhase

LOOK_SECONDS = 10
POLL_SECONDS = 30

Policy = Callable[[Trace], Figures]

_BEGIN = datetime(2026, 1, 5, tzinfo=UTC)


def ours(trace: Trace, *, reservation_seconds: int = 0, idle_share: float = 1, is_eager: bool = False) -> Figures:
    """Our arithmetic and our choice of victims, asked at once on news and every ten seconds.

    `idle_share`: how much of the others' idle time is ours. `is_eager`: each pod that is not needed goes in the moment
    in which its idle time ends, however many they are: what is left then is the price of the idle time itself.
    """
    trace = replace(trace, idle_seconds=int(trace.idle_seconds * idle_share))
    return World(trace, reservation_seconds=reservation_seconds).run(_Ours(trace, is_eager))


def hcp(trace: Trace, *, up_seconds: int | None = None) -> Figures:
    """HCP's operator with the idle time as its cool-down; `up_seconds`: another one for growing."""
    return World(trace).run(_Hcp(trace.idle_seconds if up_seconds is None else up_seconds))


def keda(trace: Trace, *, is_accurate: bool) -> Figures:
    """KEDA's default or accurate strategy."""
    return World(trace, is_single_use=True).run(_Keda(is_accurate))


def oracle(trace: Trace) -> Figures:
    """Pods that are ready in the moment they are needed: no wait but for the maximum, and a pod between two tasks is
    kept only where making another one would take as long."""
    world = World(replace(trace, start_seconds=0))
    world.run(_everything)
    alive = [0] * (world.now // TICK + 1)
    for begin, end in _chains(world.intervals, trace.start_seconds):
        for tick in range(max(0, begin) // TICK, min(end // TICK, len(alive))):
            alive[tick] += 1
    busy = sum(min(end, world.now + TICK) - begin for begin, end in world.intervals)
    there = sum(max(trace.minimum, each) for each in alive) * TICK
    return Figures(surplus=max(0, there - busy) / 60, waited=world.figures.waited)


def _everything(world: World) -> None:
    world.create(world.trace.maximum - len(world.pods))


def _chains(intervals: list[tuple[int, int]], start_seconds: int) -> list[tuple[int, int]]:
    """Return the lives of pods, each from its start to its end; a later task goes to the pod that was free last."""
    lives: list[list[int]] = []
    for begin, end in sorted(intervals):
        able = [life for life in lives if life[1] <= begin <= life[1] + start_seconds]
        if able:
            max(able, key=lambda life: life[1])[1] = end
        else:
            lives.append([begin - start_seconds, end])
    return [(begin, end) for begin, end in lives]


@dataclass
class _Ours:
    trace: Trace
    is_eager: bool
    surplus_since: datetime | None = None
    known: dict[Pod, tuple[Row, Presence]] = field(default_factory=dict)

    def __call__(self, world: World) -> None:
        if not (world.has_news or self.is_eager) and world.now % LOOK_SECONDS:
            return
        pods, now = world.staying, _moment(world.now)
        pinned = sum(pod.job is not None or pod.kept_for is not None for pod in pods)
        limits = Limits(slots=1, minimum=self.trace.minimum, maximum=self.trace.maximum)
        desired = autoscaler.decide(Demand(pinned=pinned, queued=len(world.queue)), limits).desired
        world.create(max(0, desired - len(pods)))
        self.surplus_since = (self.surplus_since or now) if len(pods) > desired else None
        if self.surplus_since is not None:
            self._shrink(world, desired)

    def _shrink(self, world: World, desired: int) -> None:
        while (victim := victims.choose(self._situation(world, desired))) is not None:
            world.delete(next(pod for pod in world.staying if self.known[pod][0] is victim.pod))
            if not self.is_eager:
                return

    def _situation(self, world: World, desired: int) -> Situation:
        return Situation(
            members=[self._member(pod, world.now) for pod in world.staying],
            now=_moment(world.now),
            most=self.trace.maximum,
            desired=desired,
            surplus_since=self.surplus_since,
            idle_seconds=self.trace.idle_seconds,
            slots=1,
            config_hash="",
            stable_seconds=0 if self.is_eager else settings.POOL_STABLE_SECONDS,
        )

    def _member(self, pod: Pod, now: int) -> Member:
        row, presence = self.known.setdefault(pod, _known(pod))
        is_there, leases = pod.ready_at <= now, int(pod.job is not None or pod.kept_for is not None)
        row.phase = PodPhase.RUNNING if is_there else PodPhase.STARTING
        row.connected_at = _moment(pod.ready_at) if is_there else None
        row.last_busy_at = _moment(pod.free_since)
        return Member(pod=row, now=_moment(now), leases=leases, presence=presence if is_there else None)


def _known(pod: Pod) -> tuple[Row, Presence]:
    row = Row(slots=1, created_at=_moment(pod.created), connected_at=None)
    agent = Agent(capacity=1)
    return row, Presence(agent=agent, is_connected=True, is_lost=False, pause=None, last_ended=None)


def _moment(second: int) -> datetime:
    return _BEGIN + timedelta(seconds=second)


@dataclass
class _Hcp:
    up_seconds: int
    changed: int | None = None

    def __call__(self, world: World) -> None:
        if not _polls(world):
            return
        needed = len(world.queue) + sum(pod.job is not None for pod in world.pods)
        desired = min(max(needed, world.trace.minimum), world.trace.maximum)
        pods = world.staying
        cooldown = self.up_seconds if desired > len(pods) else world.trace.idle_seconds
        is_cooling = self.changed is not None and world.now - self.changed < cooldown
        if desired == len(pods) or is_cooling:
            return
        self.changed = world.now
        world.create(max(0, desired - len(pods)))
        for pod in sorted(pods, key=lambda pod: _rank(pod, world.now))[: max(0, len(pods) - desired)]:
            world.delete(pod)


def _rank(pod: Pod, now: int) -> tuple[bool, int]:
    """Whom a ReplicaSet deletes first."""
    return pod.ready_at <= now, -pod.ready_at


@dataclass
class _Keda:
    is_accurate: bool

    def __call__(self, world: World) -> None:
        if not _polls(world):
            return
        most, minimum = world.trace.maximum, world.trace.minimum
        running = len(world.pods)
        if running < minimum:
            world.create(minimum - running)
            return
        pending = sum(pod.ready_at > world.now for pod in world.pods)
        queued = len(world.queue) + (0 if self.is_accurate else sum(pod.job is not None for pod in world.pods))
        world.create(max(0, min(queued, self._effective(min(queued, most), running - minimum, pending, most))))

    def _effective(self, scale: int, running: int, pending: int, most: int) -> int:
        if not self.is_accurate:
            return scale - running
        return most - running if scale + running > most else scale - pending


def _polls(world: World) -> bool:
    return world.now % POLL_SECONDS == world.trace.phase
