"""A cluster in memory whose time is the schedule's: deletions take a while, calls fail as the door says that they do.

The API server of the other tests is a real one, and so are its clock and its controllers: they cannot be held still
between two steps, nor brought back for the next of two hundred schedules. What the door makes of every answer that a
real one gives is tested with the real one; here it is what the platform makes of what the door says.
"""

from typing import Any

from pools.errors import ClusterError, Denied, QuotaExceeded, Replaced, Throttled, Unreachable
from pools.models import Pool
from pools.sightings import SeenPod
from tasks.models import Task
from tasks.states import Lease
from tests.fleet import clusters

MAKING = frozenset({"create_pod", "create_secret"})


class Cluster(clusters.Cluster):
    """`ailment`: what calls end with, empty: they succeed; `on`: of the one call that ails, empty: of all."""

    ailment = ""
    on = ""

    def __init__(self) -> None:
        super().__init__()
        self.fault, self.after = self._fail_before, self._fail_after

    def ail(self, ailment: str, on: str) -> None:
        """Let calls fail from now on, or succeed again."""
        self.ailment, self.on = ailment, on

    def _fail_before(self, call: str) -> None:
        if self.ailment != "lost answer":
            self._fail(call)

    def _fail_after(self, call: str) -> None:
        if self.ailment == "lost answer":
            self._fail(call)

    def _fail(self, call: str) -> None:
        if self.on in {"", call} and (error := _error(self.ailment, call)):
            raise error


def _error(ailment: str, call: str) -> ClusterError | None:
    errors: dict[str, ClusterError] = {
        "unreachable": Unreachable("connection refused"),
        "lost answer": Unreachable("connection reset by peer"),
        "throttled": Throttled("too many requests", 1.0, 429),
        "denied": Denied(f"pods is forbidden: cannot {call}", 403),
    }
    if ailment == "quota" and call in MAKING:
        return QuotaExceeded("exceeded quota: pods=2", 403)
    return errors.get(ailment)


class Door(clusters.Door):
    """`kube.Cluster`, which sees to it that nothing is asked for that must never be."""

    cluster: Cluster

    def delete_pod(self, name: str, uid: str, grace_seconds: int | None = None) -> bool:
        """Begin the end of a pod; it is there until its node has ended it."""
        with self._call("delete_pod", name):
            there = self.cluster.pods.get(name)
            if there is None:
                return False
            if there.uid != uid:
                raise Replaced(f"the UID in the precondition ({uid}) does not match", 409)
            _demand_ours(there)
            _demand_free(there)
            self.cluster.change(name, deleting=True)
            return True

    def annotate(self, name: str, uid: str, annotations: dict[str, Any]) -> bool:
        """Write annotations of this very pod."""
        there = self.cluster.pods.get(name)
        if there is None or there.uid != uid:
            return False
        _demand_ours(there)
        return super().annotate(name, uid, annotations)


def _demand_ours(seen: SeenPod) -> None:
    is_ours = seen.is_ours and Pool.objects.filter(pk=seen.pool_id).exists()
    assert is_ours, f"pod {seen.name} belongs to somebody else, and is touched"


def _demand_free(seen: SeenPod) -> None:
    held = Task.objects.exclude(lease=Lease.NONE).filter(pod_name=seen.name)
    assert not held.exists(), f"pod {seen.name} is deleted, and holds a lease"
