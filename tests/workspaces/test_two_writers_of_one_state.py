"""Two who push or lock at the same moment: exactly one of them wins, and nothing is overwritten."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from iacplatform.base.problems import Problem
from tests import factories
from tests.races.racing import race
from workspaces import states
from workspaces.holders import Holder
from workspaces.models import StateLock, StateVersion, Workspace

pytestmark = pytest.mark.django_db(transaction=True)


def refusals(answers: Sequence[Any]) -> list[str]:
    """Return the codes of the refusals, and an empty one for each that was none."""
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, Problem):
            raise answer
    return sorted(answer.code if isinstance(answer, Problem) else "" for answer in answers)


def holder(name: str, workspace: Workspace) -> Holder:
    """Return a person who may write and lock."""
    return Holder(name=name, workspace_id=workspace.pk, may_write=True, may_lock=True)


def test_one_of_two_contents_at_a_serial_is_kept() -> None:
    workspace = factories.workspace()
    contents = [factories.state(1, note=str(number)) for number in range(4)]
    ann = holder("user:ann", workspace)
    answers = race(*[partial(states.store, workspace.pk, content, ann) for content in contents])
    assert refusals(answers) == ["", "state_refused", "state_refused", "state_refused"]
    assert StateVersion.objects.count() == 1


def test_one_of_two_gets_the_lock() -> None:
    workspace = factories.workspace()
    deeds = [
        partial(states.lock, workspace.pk, f"id-{number}", {}, holder(f"user:{number}", workspace))
        for number in range(4)
    ]
    assert refusals(race(*deeds)) == ["", "state_locked", "state_locked", "state_locked"]
    assert StateLock.objects.count() == 1


def test_serials_only_grow_whatever_the_order_of_arrival() -> None:
    workspace = factories.workspace()
    ann = holder("user:ann", workspace)
    refusals(race(*[partial(states.store, workspace.pk, factories.state(serial), ann) for serial in range(1, 6)]))
    in_time = list(StateVersion.objects.order_by("pk").values_list("serial", flat=True))
    assert in_time == sorted(in_time) and in_time[-1] == 5
