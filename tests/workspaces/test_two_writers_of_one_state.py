"""Two who push or lock at the same moment: exactly one of them wins, and nothing is overwritten."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from iacplatform.base.problems import Problem
from tests import factories
from tests.waiting import ENOUGH_SECONDS
from workspaces import states
from workspaces.holders import Holder
from workspaces.models import StateLock, StateVersion, Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def race(deeds: Sequence[Callable[[], Any]]) -> list[str]:
    """Do all at once, in a thread and over a connection each; return the codes of the refusals."""
    barrier = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> str:
        barrier.wait(timeout=ENOUGH_SECONDS)
        try:
            deed()
        except Problem as problem:
            return problem.code
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(deeds)) as threads:
        return sorted(threads.map(run, deeds))


def holder(name: str, workspace: Workspace) -> Holder:
    """Return a person who may write and lock."""
    return Holder(name=name, workspace_id=workspace.pk, may_write=True, may_lock=True)


def test_one_of_two_contents_at_a_serial_is_kept() -> None:
    workspace = factories.workspace()
    contents = [factories.state(1, note=str(number)) for number in range(4)]
    ann = holder("user:ann", workspace)
    codes = race([partial(states.store, workspace.pk, content, ann) for content in contents])
    assert codes == ["", "state_refused", "state_refused", "state_refused"]
    assert StateVersion.objects.count() == 1


def test_one_of_two_gets_the_lock() -> None:
    workspace = factories.workspace()
    deeds = [
        partial(states.lock, workspace.pk, f"id-{number}", {}, holder(f"user:{number}", workspace))
        for number in range(4)
    ]
    assert race(deeds) == ["", "state_locked", "state_locked", "state_locked"]
    assert StateLock.objects.count() == 1


def test_serials_only_grow_whatever_the_order_of_arrival() -> None:
    workspace = factories.workspace()
    ann = holder("user:ann", workspace)
    race([partial(states.store, workspace.pk, factories.state(serial), ann) for serial in range(1, 6)])
    in_time = list(StateVersion.objects.order_by("pk").values_list("serial", flat=True))
    assert in_time == sorted(in_time) and in_time[-1] == 5
