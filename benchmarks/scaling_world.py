"""A pool of pods with one slot each in seconds that are only counted: tasks come, wait, run, wait for people, apply.

Everything but the number of pods is the same for every policy: a pod takes `start_seconds` until it works, tasks go to
the free pods in the order of their coming, tasks of one workspace follow one another.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from random import Random

TICK = 5
"""Seconds that the world goes on at once."""
HOURS = 3
GRACE_SECONDS = 900
"""A pod that is deleted may finish what it runs for so long: the grace period of ours and of HCP's agents."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """A task. Times in seconds. `thinking`: until a person confirms or discards; `apply`: 0: nothing is applied."""

    at: int
    workspace: int
    plan: int
    thinking: int = 0
    apply: int = 0


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What is asked of a pool, and what it may have."""

    work: tuple[Work, ...]
    minimum: int
    maximum: int
    idle_seconds: int
    start_seconds: int
    phase: int  # when, within its period, a policy that polls looks first


def trace(seed: int) -> Trace:
    """Return the demand of an afternoon: tasks one by one, at a rate of its own, and now and then many at once."""
    lots = Random(seed)
    rate = 10 ** lots.uniform(-0.3, 1.6)  # 0.5 to 40 an hour
    arrivals = _singles(lots, rate) + _bursts(lots)
    workspaces = lots.randint(3, 20)
    minimum = lots.choice([0, 1])
    return Trace(
        work=tuple(_work(lots, at, lots.randrange(workspaces)) for at in sorted(arrivals)),
        minimum=minimum,
        maximum=lots.choice([3, 5, 10]),
        idle_seconds=lots.choice([120, 300, 600]),
        start_seconds=lots.randrange(15, 65, TICK),
        phase=lots.randrange(0, 30, TICK),
    )


def _singles(lots: Random, rate: float) -> list[int]:
    at, found = 0.0, []
    while (at := at + lots.expovariate(rate / 3600)) < (HOURS - 0.5) * 3600:
        found.append(int(at))
    return found


def _bursts(lots: Random) -> list[int]:
    begins = [lots.randrange(int((HOURS - 1) * 3600)) for _ in range(lots.randint(0, 3))]
    return [begin + lots.randrange(60) for begin in begins for _ in range(lots.randint(3, 10))]


def _work(lots: Random, at: int, workspace: int) -> Work:
    plan = _seconds(lots, 60)
    kind = lots.random()
    if kind < 0.3:  # plan only
        return Work(at=at, workspace=workspace, plan=plan)
    thinking = 0 if kind < 0.5 else int(lots.expovariate(1 / 600)) + TICK  # else confirmed by itself
    return Work(
        at=at, workspace=workspace, plan=plan, thinking=thinking, apply=0 if kind > 0.9 else _seconds(lots, 120)
    )


def _seconds(lots: Random, median: int) -> int:
    return int(min(1800, max(15, lots.lognormvariate(0, 0.8) * median)))


@dataclass(eq=False)
class Job:
    """A phase of a task, and what comes after it."""

    work: Work
    is_apply: bool = False
    kept_on: "Pod | None" = None

    @property
    def seconds(self) -> int:
        """How long it runs."""
        return self.work.apply if self.is_apply else self.work.plan


@dataclass(eq=False)
class Pod:
    """`free_since`: since when it has nothing to do; `kept_for`: an apply that it keeps its slot for, until when."""

    number: int
    created: int
    ready_at: int
    free_since: int
    job: Job | None = None
    until: int = 0
    kept_for: Job | None = None
    kept_until: int = 0
    killed_at: int | None = None


@dataclass
class Figures:
    """What it cost. Minutes; deletions of pods that held a lease, and of those how many runs were cut off."""

    surplus: float = 0
    waited: float = 0
    deleted_at_work: int = 0
    cut_off: int = 0

    def add(self, other: "Figures") -> None:
        """Take another trace's figures in."""
        self.surplus += other.surplus
        self.waited += other.waited
        self.deleted_at_work += other.deleted_at_work
        self.cut_off += other.cut_off


@dataclass
class World:
    """`reservation_seconds`: how long a slot is kept for an apply; `is_single_use`: a pod ends after its first job."""

    trace: Trace
    reservation_seconds: int = 0
    is_single_use: bool = False
    now: int = 0
    pods: list[Pod] = field(default_factory=list)
    queue: deque[Job] = field(default_factory=deque)
    figures: Figures = field(default_factory=Figures)
    intervals: list[tuple[int, int]] = field(default_factory=list)
    has_news: bool = False
    _numbers: Iterable[int] = field(default_factory=count)
    _coming: deque[Work] = field(default_factory=deque)
    _open: dict[int, deque[Work]] = field(default_factory=dict)  # by workspace; the first is under way
    _people: list[tuple[int, Job]] = field(default_factory=list)

    @property
    def staying(self) -> list[Pod]:
        """Pods whose deletion nobody asked for."""
        return [pod for pod in self.pods if pod.killed_at is None]

    def create(self, pods: int) -> None:
        """Let so many pods come."""
        for _ in range(pods):
            ready = self.now + self.trace.start_seconds
            self.pods.append(Pod(next(iter(self._numbers)), self.now, ready, self.now))

    def delete(self, pod: Pod) -> None:
        """Delete a pod: it ends at once where it has nothing to do, else when that is done, or its grace is over."""
        self.figures.deleted_at_work += pod.job is not None or pod.kept_for is not None
        pod.killed_at, pod.kept_for = self.now, None
        if pod.job is None:
            self.pods.remove(pod)

    def run(self, decide: Callable[["World"], None]) -> Figures:
        """Go through the trace; `decide` is asked once in each tick."""
        self._coming = deque(self.trace.work)
        for self.now in range(0, HOURS * 3600, TICK):
            self.has_news = False
            self._end_jobs()
            self._hear_people()
            self._take_in()
            self._give_out()
            decide(self)
            self._give_out()
            self._count()
        return self.figures

    def _count(self) -> None:
        busy = sum(pod.job is not None for pod in self.pods)
        self.figures.surplus += (len(self.pods) - busy) * TICK / 60
        self.figures.waited += len(self.queue) * TICK / 60

    def _end_jobs(self) -> None:
        for pod in list(self.pods):
            if pod.job is None:
                continue
            if pod.until <= self.now:
                self._end(pod, pod.job)
            elif pod.killed_at is not None and self.now - pod.killed_at >= GRACE_SECONDS:
                self._cut_off(pod)

    def _end(self, pod: Pod, job: Job) -> None:
        pod.job, pod.free_since, self.has_news = None, self.now, True
        if self.is_single_use or pod.killed_at is not None:
            self.pods.remove(pod)
        if job.is_apply or not (job.work.apply or job.work.thinking):
            self._finish(job)
            return
        after = Job(job.work, is_apply=True)
        if job.work.thinking and self.reservation_seconds and pod in self.pods:
            pod.kept_for, pod.kept_until, after.kept_on = after, self.now + self.reservation_seconds, pod
        self._people.append((self.now + job.work.thinking, after))

    def _cut_off(self, pod: Pod) -> None:
        """The grace is over: what ran is lost, and is done again."""
        self.figures.cut_off += 1
        self.pods.remove(pod)
        if pod.job is not None:
            self.queue.append(pod.job)

    def _finish(self, job: Job) -> None:
        waiting = self._open[job.work.workspace]
        waiting.popleft()
        if waiting:
            self._want(Job(waiting[0]))

    def _hear_people(self) -> None:
        due = [each for each in self._people if each[0] <= self.now]
        for each in due:
            self._people.remove(each)
            self._hear(each[1])
        self._end_reservations()

    def _hear(self, job: Job) -> None:
        """A person confirms the plan, or discards it."""
        if job.work.apply:
            self._want(job)
        else:
            self._let_go(job)
            self._finish(job)

    def _end_reservations(self) -> None:
        for pod in self.pods:
            if pod.kept_for is not None and pod.kept_until <= self.now:
                self._let_go(pod.kept_for)

    def _let_go(self, job: Job) -> None:
        pod, job.kept_on = job.kept_on, None
        if pod is not None and pod.kept_for is job:
            pod.kept_for, pod.free_since, self.has_news = None, self.now, True

    def _take_in(self) -> None:
        while self._coming and self._coming[0].at <= self.now:
            work = self._coming.popleft()
            waiting = self._open.setdefault(work.workspace, deque())
            waiting.append(work)
            if len(waiting) == 1:
                self._want(Job(work))

    def _want(self, job: Job) -> None:
        self.queue.append(job)
        self.has_news = True

    def _give_out(self) -> None:
        if not self.queue:
            return
        left: deque[Job] = deque()
        for job in self.queue:
            pod = self._place_for(job)
            if pod is None:
                left.append(job)
                continue
            self._let_go(job)
            pod.job, pod.until, self.has_news = job, self.now + job.seconds, True
            self.intervals.append((self.now, pod.until))
        self.queue = left

    def _place_for(self, job: Job) -> Pod | None:
        """Return the pod that keeps its slot for the job, else a free one; at the maximum, one kept for another job."""
        if job.kept_on is not None and job.kept_on.kept_for is job:
            return job.kept_on
        able = [pod for pod in self.staying if pod.job is None and pod.ready_at <= self.now]
        free = next((pod for pod in able if pod.kept_for is None), None)
        if free is None and able and len(self.staying) >= self.trace.maximum:
            free = min(able, key=lambda pod: pod.kept_until)
            if free.kept_for is not None:
                self._let_go(free.kept_for)
        return free
