"""How a pool of pods gets more of them."""

import pytest

from agents import dispatcher
from agents.fleet import demand
from iacplatform.base import clock
from pools.autoscaler import Demand
from pools.models import PodPhase
from tests.fleet import pods

pytestmark = pytest.mark.django_db


def test_two_workspaces_get_two_pods_and_keep_them_when_one_starts() -> None:
    """Incident 515."""
    pool = pods.pool()
    pods.pending(pool), pods.pending(pool)
    pods.scale(pool)
    assert pods.count(pool, PodPhase.INTENDED) == pods.status(pool).desired == 2

    pods.served(pool)
    dispatcher.dispatch(pool.pk, cause="test")
    assert demand.of([pool], clock.now())[pool.pk] == Demand(pinned=1, free=0, queued=1)
    pods.scale(pool)
    assert pods.status(pool).desired == 2
