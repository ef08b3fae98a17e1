"""A late state comes in the moment in which a person lets go of its lock: it is stored before that, or kept aside."""

from typing import Any

import pytest

from agents import orphans
from agents.models import Agent
from iacplatform.base.problems import Problem
from tasks import authentication
from tasks.models import Task
from tests import factories as rows
from tests.evidence import people
from tests.evidence.words import attempt_of
from tests.races.racing import interleave, race
from tests.tasks import factories
from workspaces import states
from workspaces.models import KeptState, StateLock, StateVersion

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def orphan(ada: Agent) -> Task:
    """A lost apply whose agent is silent, and whose state lock holds."""
    task = factories.needing_attention(on=ada)
    names = {"holder": f"task:{task.pk}", "task_id": task.pk, "epoch": task.epoch, "phase": "apply"}
    StateLock.objects.create(workspace=task.workspace, lock_id="l-1", info={"ID": "l-1"}, **names)
    people.silence(task)
    return task


def write(task: Task, serial: int = 5) -> Any:
    holder = authentication.holder(attempt_of(task))
    return states.store(task.workspace_id, rows.state(serial), holder, lock_id="l-1")


def release(task: Task) -> bool:
    return orphans.release(task, by=factories.person(), reason="Dead.")


def test_a_write_that_began_before_the_release_is_stored_before_it(orphan: Task) -> None:
    stored, released = interleave(
        lambda: write(orphan), lambda: release(orphan), before='INSERT INTO "workspaces_stateversion"'
    )
    assert isinstance(stored, StateVersion) and released is True
    let_go_at = attempt_of(orphan).state_released_at
    assert let_go_at is not None and StateVersion.objects.get().created_at < let_go_at


def test_a_write_that_comes_within_the_release_is_kept_aside(orphan: Task) -> None:
    released, refused = interleave(
        lambda: release(orphan), lambda: write(orphan), before='DELETE FROM "workspaces_statelock"'
    )
    assert released is True
    assert isinstance(refused, Problem) and refused.code == "state_released"
    assert KeptState.objects.count() == 1 and not StateVersion.objects.exists()


def test_one_body_that_comes_twice_at_once_is_kept_once(given_up: Task) -> None:
    answers = race(*[lambda: write(given_up)] * 3)
    assert {answer.extras["kept_aside"] for answer in answers} == {KeptState.objects.get().pk}
