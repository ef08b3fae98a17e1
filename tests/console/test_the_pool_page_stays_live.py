"""A pool's page follows the pool by itself, and asks for nothing that it has."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from agents.models import Agent
from iacplatform.base import clock
from pools.models import ClusterStatus, Pod, PodPhase, Pool, PoolStatus
from tests import factories as rows
from tests.console import fleets, pages
from tests.console.conftest import browser
from tests.tasks import factories


def follow(console: Client, pool: Pool) -> str:
    """Return the address that the page asks for what is new."""
    found = re.search(r'id="pool"[^>]*hx-get="([^"]+)"', console.get(f"/pools/{pool.pk}").content.decode())
    assert found is not None
    return found[1]


CHANGES: dict[str, Callable[[Pool], object]] = {
    "a pod's phase": lambda pool: Pod.objects.update(phase=PodPhase.DRAINING),
    "a pod's trouble": lambda pool: Pod.objects.update(trouble="pod_unschedulable", trouble_words="0/3 nodes"),
    "an agent that left": lambda pool: Agent.objects.update(session=""),
    "a slot": lambda pool: factories.planning(on=Agent.objects.get(), workspace=fleets.workspace(pool)),
    "a decision": fleets.decision,
    "what is desired": lambda pool: PoolStatus.objects.update(desired=4),
    "a condition": lambda pool: fleets.condition(pool, "quota_exceeded"),
    "a task that waits": lambda pool: factories.pending(workspace=fleets.workspace(pool)),
    "a look that failed": lambda pool: ClusterStatus.objects.update(failures=1),
    "a window": fleets.open_window,
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_shows_and_nothing_else_is_sent(console: Client, change: str) -> None:
    clock.shift(timedelta(seconds=60 - clock.now().second))  # its times are renewed with every minute
    pool = fleets.pool()
    fleets.agent(fleets.pod(pool))
    address = follow(console, pool)
    assert console.get(address).status_code == 204
    CHANGES[change](pool)
    answer = console.get(address)
    assert answer.status_code == 200 and 'id="pool"' in answer.content.decode()
    assert console.get(follow(console, pool)).status_code == 204


def test_a_part_is_no_whole_page_and_needs_the_right_to_see(console: Client) -> None:
    pool = fleets.pool()
    assert "<html" not in console.get(f"/pools/{pool.pk}/live").content.decode()
    assert browser(rows.person()).get(f"/pools/{pool.pk}/live").status_code == 404
    assert pages.text(console.get(f"/pools/{pool.pk}/live")).startswith("Pools /")
