"""What must be true of pods after every step, beside all that must be true of tasks."""

from collections import Counter

from agents.models import Agent
from iacplatform.base import clock
from pools.models import STAYING, Pod, PodPhase, ScalingDecision
from tasks.models import Task
from tasks.states import Lease
from tests.simulation.fleet.world import FleetWorld


class Promises:
    """What was true after the step before: how many pods nobody had begun to remove."""

    def __init__(self, world: FleetWorld) -> None:
        self.world = world
        self.staying = self._staying()
        self.was_frozen = False

    def check(self) -> None:
        """Fail with a sentence where a promise about pods is broken."""
        self._pods_within_max()
        self._slots_are_leases()
        self._rows_and_pods_agree()
        self._decisions_add_up()

    def check_at_rest(self) -> None:
        """Fail where rows and cluster differ although all is well, or where there are more pods than anybody wants."""
        pool, cluster = self.world.pool, self.world.cluster
        rows = Pod.objects.live().filter(pool=pool)
        known = set(rows.values_list("uid", flat=True))
        staying = set(rows.filter(phase__in=STAYING).values_list("uid", flat=True))
        there = {pod.uid for pod in cluster.pods.values() if pod.is_ours and pod.pool_id == pool.pk}
        # Whose removal has begun may have gone since the last look.
        assert staying <= there <= known, f"rows are of {known}, of which {staying} stay; the cluster has {there}"
        connected = set(Agent.objects.connected().filter(pool=pool).values_list("pod_name", flat=True))
        running = set(Pod.objects.filter(pool=pool, phase=PodPhase.RUNNING).values_list("name", flat=True))
        assert running <= connected, f"pods run without an agent: {running - connected}"

    def _pods_within_max(self) -> None:
        pool, now = self.world.pool, clock.now()
        staying, is_frozen = self._staying(), pool.is_frozen(now)
        grew = staying > self.staying
        assert not grew or staying <= pool.max_replicas, f"{staying} pods, the pool may have {pool.max_replicas}"
        assert not (grew and is_frozen and self.was_frozen), f"the pool grew to {staying} pods while it is frozen"
        self.staying, self.was_frozen = staying, is_frozen

    def _slots_are_leases(self) -> None:
        slots = dict(Pod.objects.values_list("name", "slots"))
        held = Task.objects.exclude(lease=Lease.NONE).exclude(pod_name="")
        for name, leases in Counter(held.values_list("pod_name", flat=True)).items():
            assert leases <= slots.get(name, 0), f"{leases} leases on pod {name}, which has {slots.get(name)} slots"

    def _rows_and_pods_agree(self) -> None:
        uids = Counter(Pod.objects.exclude(uid="").values_list("uid", flat=True))
        twice = [uid for uid, rows in uids.items() if rows > 1]
        assert not twice, f"several rows are of one pod: {twice}"

    def _decisions_add_up(self) -> None:
        for said in ScalingDecision.objects.filter(pool=self.world.pool):
            assert said.desired >= said.pinned, f"{said}: {said.pinned} pods hold leases"
            needed = said.pinned + -(-max(0, said.queued - said.free) // 2)
            assert said.wanted == needed, f"{said}: {needed} pods are needed"

    def _staying(self) -> int:
        return Pod.objects.filter(pool=self.world.pool, phase__in=STAYING).count()
