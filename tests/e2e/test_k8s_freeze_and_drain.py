"""What people and the calendar do to a pool of pods: a freeze window ends by itself, a drained agent's pod is replaced."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from tests.e2e.configurations import trivial
from tests.e2e.pod_crew import PodCrew

pytestmark = pytest.mark.cluster

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LEAST_SECONDS = 30
"""What a window that ends with the minute lasts at least, so that it is seen from inside."""


def now_at(pods: PodCrew) -> datetime:
    """Return the platform's time: another test may have set its clock ahead."""
    [(now,)] = pods.platform.sql("SELECT iac_now()")
    return cast(datetime, now).astimezone(UTC)


def window_that_ends_soon(now: datetime) -> dict[str, Any]:
    """Return a window that is open now, and ends with this minute or the next."""
    start, end = now - timedelta(hours=1), now + timedelta(seconds=LEAST_SECONDS + 60)
    return {"days": DAYS, "start": f"{start:%H:%M}", "end": f"{end:%H:%M}", "timezone": "UTC"}


def test_the_end_of_a_freeze_window_wakes_the_pool(pods: PodCrew) -> None:
    pods.change(freeze_windows=[window_that_ends_soon(now_at(pods))], min_replicas=1)
    task = pods.workspace(trivial(), auto_apply=True).task()
    assert task.row()["wait_reason"]["code"] == "pool_frozen"
    assert pods.row()["frozen"] is True
    assert not pods.pods()
    task.until("applied", seconds=180)
    assert pods.row()["frozen"] is False


def test_who_unfreezes_a_pool_need_not_wait(pods: PodCrew) -> None:
    now = now_at(pods)
    edges = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
    pods.change(freeze_windows=[{"days": DAYS, **edges, "timezone": "UTC"}])
    task = pods.workspace(trivial(), auto_apply=True).task()
    assert task.row()["wait_reason"]["code"] == "pool_frozen"
    pods.client.post(f"/pools/{pods.pool_id}/unfreeze", {})
    task.until("applied")


def test_a_drained_agent_leaves_and_its_pod_is_replaced(pods: PodCrew) -> None:
    pods.change(min_replicas=1)
    (agent,) = pods.until_connected(1)
    pods.client.post(f"/agents/{agent['agent_id']}/drain")
    pods.cluster.until_gone(agent["pod_name"])
    (other,) = pods.until_connected(1)
    assert other["pod_name"] != agent["pod_name"]
    causes = {row["name"]: row["cause"] for row in pods.rows()}
    # A look may find the pod's end, or, an instant before it, that the agent has gone.
    assert causes[agent["pod_name"]].startswith(("Succeeded", "Its agent was told to take nothing new, and has left."))
