"""Forty-four faults between the platform and a real cluster, each at one call: afterwards all is as it should be.

While a fault lasts nothing of somebody else's is touched, and no second pod is made for a row.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from iacplatform.base import clock
from pools.models import Pod, PodPhase, Pool
from tests.cluster.cluster import Cluster
from tests.cluster.faults import Answer, CutOff, DropAnswer, Fault, Reset
from tests.fleet import pods
from tests.fleet.clusters_of_ours import look, names, ours, pool, token_in
from tests.fleet.foreigners import foreign_pod
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

FAULTS: dict[str, Fault] = {
    "not known": Answer(401),
    "not allowed": Answer(403),
    "not found": Answer(404),
    "conflict": Answer(409, reason="Conflict"),
    "expired": Answer(410),
    "too many": Answer(429, retry_after=1),
    "broken": Answer(500),
    "away": Answer(503),
    "cut off": CutOff(0.5),
    "reset": Reset(),
    "not answered": DropAnswer(),
}
CALLS = {
    "list": ("GET", r"/pods\?"),
    "create": ("POST", r"/pods"),
    "secret": ("POST", r"/secrets"),
    "delete": ("DELETE", r"/pods/"),
}
MOST_LOOKS = 8


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
def test_all_is_well_after_it(cluster: Cluster, fault: str, call: str) -> None:
    one, theirs = pool(cluster, min_replicas=2), foreign_pod(cluster)
    method, path = CALLS[call]
    rule = cluster.proxy.fault(FAULTS[fault], method=method, path=path)
    _until(cluster, one, lambda: _is_settled(cluster, one, 2))
    Pool.objects.update(min_replicas=1, max_replicas=1)
    _until(cluster, one, lambda: _is_settled(cluster, one, 1))
    assert rule.hits == 1
    assert pods.count(one) == 2  # no row but the two was ever needed
    now = cluster.pod("theirs")
    assert now is not None and now["metadata"]["uid"] == theirs["metadata"]["uid"]
    assert "deletionTimestamp" not in now["metadata"]


def _is_settled(cluster: Cluster, one: Pool, expected: int) -> bool:
    """Return whether rows and cluster have the same pods, each with a token that lets it in, and nobody complains."""
    rows = list(Pod.objects.exclude(phase=PodPhase.GONE).filter(pool=one))
    starting = [row for row in rows if row.phase == PodPhase.STARTING and row.equipped_at]
    same = len(rows) == len(starting) == expected and {row.name for row in rows} == set(names(cluster))
    return same and not pods.status(one).condition_code and all(token_in(cluster, row) for row in rows)


def _until(cluster: Cluster, one: Pool, settled: Callable[[], bool]) -> None:
    for _ in range(MOST_LOOKS):
        look(one)
        if settled():
            return
        # A node takes its own time, whatever our clock says.
        until("pods that end are gone", lambda: len(names(cluster)) == len(ours(cluster)))
        clock.shift(timedelta(seconds=61))
    pytest.fail(f"{pods.phases(one)} {pods.status(one).condition_message}")
