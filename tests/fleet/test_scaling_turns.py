"""Scaling beside dispatching: a pod is drained only in its pool's turn, and nobody waits for another pool's."""

import pytest

from agents import dispatcher
from agents.fleet import draining
from tasks.states import Lease
from tests.fleet import pods
from tests.races.racing import interleave
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_pod_stays_while_its_pool_is_being_dispatched_and_others_need_not_wait() -> None:
    busy, quiet = pods.pool(), pods.pool()
    task = pods.pending(busy)
    here, there = pods.served(busy), pods.served(quiet)

    offered, drained = interleave(
        lambda: dispatcher.dispatch(busy.pk, cause="test").offers,
        lambda: draining.drain_idle({here.pk: "", there.pk: ""}),
        before='UPDATE "tasks_task"',
    )

    assert (offered, drained) == (1, {there.name})
    assert factories.reread(task).lease == Lease.OFFERED
