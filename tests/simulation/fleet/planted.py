"""Faults in what decides about pods, put in by hand, one at a time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from agents.fleet import looks, members, orphans, scaling
from tests.simulation.planted import Planted, altered


@contextmanager
def _leases_unseen() -> Iterator[None]:
    with mock.patch.object(members, "_leases", lambda names: Counter()):
        yield


FAULTS = [
    Planted("Leases do not pin their pods", _leases_unseen, "holds a lease", 33),
    Planted(
        "A list that failed is taken for an empty one",
        altered(looks, "_see_and_act", "cluster.pods()", "([] if cluster.cluster.ailment else cluster.pods())"),
        "rows are of",
        33,
    ),
    Planted(
        "Whoever manages pods as we do is taken for us",
        altered(orphans, "among", "seen.pool_id in ours and ", ""),
        "belongs to somebody else",
        18,
    ),
    Planted(
        "The maximum binds nobody",
        altered(scaling, "limits_of", '"maximum": pool.max_replicas', '"maximum": 99'),
        "the pool may have",
        59,
    ),
    Planted(
        "A freeze window stops no growth",
        altered(scaling, "limits_of", "is_frozen=pool.is_frozen(now)", "is_frozen=False"),
        "while it is frozen",
        22,
    ),
]
