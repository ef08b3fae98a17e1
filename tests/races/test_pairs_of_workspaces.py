"""What is done to one workspace and its state at once, in every order of the statements and commits.

Each test names the outcomes that are right. Any other one, and one of them that no order leads to, fails it.
"""

from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from functools import partial
from typing import Any

import pytest

from agents import orphans
from tasks import attempts, authentication, confirmation, creation, removal, results
from tasks.models import Task
from tasks.results import Result
from tasks.states import Status
from tests import factories as rows
from tests.races.pairs import BadOrder, every_order, word
from tests.tasks import factories
from workspaces import locks, states
from workspaces.holders import Holder
from workspaces.models import StateLock, StateVersion, Workspace
from workspaces.state_api import person

pytestmark = pytest.mark.django_db(transaction=True)

APPLIED = Result(outcome="applied", exit_code=0, seconds=1.5, log_bytes=0)
INFO = {"Operation": "OperationTypeApply", "Who": "somebody"}


def holder(name: str, workspace: Workspace) -> Holder:
    return person(rows.admin(name), workspace.pk)


def take(workspace: Workspace, who: Holder) -> str:
    return states.lock(workspace.pk, f"lock of {who.name}", INFO, who).holder


def held_by(workspace: Workspace) -> str:
    return "".join(StateLock.objects.filter(workspace=workspace).values_list("holder", flat=True))


def serials(workspace: Workspace) -> tuple[int, ...]:
    return tuple(StateVersion.objects.filter(workspace=workspace).order_by("serial").values_list("serial", flat=True))


def content(workspace: Workspace) -> bytes:
    newest = StateVersion.objects.newest_of(workspace.pk)
    return newest.content() if newest else b""


# lock x force-unlock ------------------------------------------------------------------------------------------------


def test_lock_and_force_unlock_of_the_state() -> None:
    workspace = factories.workspace()
    ann, bob, carol = (holder(name, workspace) for name in ("ann", "bob", "carol"))
    take(workspace, bob)

    found = every_order(
        lambda lock, unlock: (word(lock), word(unlock), held_by(workspace)),
        lock=partial(take, workspace, carol),
        unlock=partial(states.unlock, workspace.pk, "", ann),
    )

    found.demand(("user:carol", None, "user:carol"), ("StateLocked", None, ""))


def test_lock_and_unlock_of_a_workspace() -> None:
    task = factories.pending(workspace=factories.workspace())
    ann, bob = factories.person("ann"), factories.person("bob")
    locks.lock(task.workspace, by=bob, reason="Hands off.")

    def outcome(lock: Any, unlock: Any) -> Any:
        now = factories.reread(task)
        return word(lock), word(unlock), now.workspace.locked_by, now.status

    found = every_order(
        outcome,
        lock=lambda: locks.lock(Workspace.objects.get(pk=task.workspace_id), by=ann, reason="Mine."),
        unlock=lambda: locks.unlock(Workspace.objects.get(pk=task.workspace_id)),
        most=100,  # of some 630
    )

    found.demand(
        (None, None, "user:ann", Status.WAITING),
        ("AlreadyLocked", None, "", Status.PENDING),
    )


def test_the_release_of_an_orphaned_lock_and_the_state_that_its_agent_still_saves() -> None:
    task = factories.applying()
    at_work = authentication.holder(attempts.newest_of(task))
    states.lock(task.workspace_id, "lock-1", INFO, at_work)
    lost = factories.lose(task)
    ann = factories.person("ann")

    found = every_order(
        lambda release, save: (word(release), word(save), held_by(task.workspace), serials(task.workspace)),
        release=lambda: orphans.release(deepcopy(lost), by=ann, reason="It is dead."),
        save=lambda: states.store(task.workspace_id, rows.state(1), at_work, lock_id="lock-1").serial,
    )
    # After the release the late state is kept aside, and the agent is told so.
    found.demand((True, 1, "", (1,)), (True, "Problem", "", ()))


# upload x unlock ----------------------------------------------------------------------------------------------------


def test_upload_and_unlock() -> None:
    workspace = factories.workspace()
    ann, bob = holder("ann", workspace), holder("bob", workspace)
    take(workspace, bob)

    found = every_order(
        lambda upload, unlock: (word(upload), word(unlock), held_by(workspace), serials(workspace)),
        upload=lambda: states.upload(workspace.pk, rows.state(1), ann).serial,
        unlock=partial(states.unlock, workspace.pk, f"lock of {bob.name}", bob),
    )

    found.demand(("StateLocked", None, "", ()), (1, None, "", (1,)))


def upload_and_upload(workspace: Workspace, patience: AbstractContextManager[Any]) -> Any:
    ann, bob = holder("ann", workspace), holder("bob", workspace)
    with patience:
        return every_order(
            lambda one, two: (word(one), word(two), serials(workspace), content(workspace)[-30:]),
            one=lambda: states.upload(workspace.pk, rows.state(1, note="one"), ann).serial,
            two=lambda: states.upload(workspace.pk, rows.state(1, note="two"), bob).serial,
        )


def test_upload_and_another_upload_of_the_same_serial_keep_one() -> None:
    found = upload_and_upload(factories.workspace(), nullcontext())
    assert {key[:3] for key in found.outcomes} == {(1, "StateRefused", (1,)), ("StateRefused", 1, (1,))}


def test_where_states_are_not_written_one_after_another_an_order_is_found_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(states, "_alone", lambda workspace_id, holder: nullcontext())
    with pytest.raises(BadOrder, match="IntegrityError"):
        upload_and_upload(factories.workspace(), nullcontext())


# delete x apply -----------------------------------------------------------------------------------------------------


def remove(workspace: Workspace) -> None:
    removal.remove(Workspace.objects.get(pk=workspace.pk), force=True)


def is_there(workspace: Workspace) -> bool:
    return Workspace.objects.filter(pk=workspace.pk).exists()


def test_delete_and_the_end_of_an_apply() -> None:
    task = factories.applying(on=factories.agent(connected=True))
    workspace = task.workspace

    found = every_order(
        lambda delete, finish: (word(delete), word(finish), is_there(workspace), Task.objects.exists()),
        delete=partial(remove, workspace),
        finish=partial(results.finish, task.pk, task.epoch, task.agent_id, APPLIED, reservation_seconds=0),
    )
    found.demand(("InUse", None, True, True), (None, None, False, False))


def test_delete_and_a_new_task() -> None:
    workspace = factories.workspace()
    ann = factories.person("ann")

    found = every_order(
        lambda delete, create: (word(delete), word(create), is_there(workspace), Task.objects.exists()),
        delete=partial(remove, workspace),
        create=lambda: bool(creation.create(deepcopy(workspace), task_type="plan_and_apply", by=ann)),
    )
    found.demand(("InUse", True, True, True), (None, "NotFound", False, False))


def test_delete_and_a_confirmation() -> None:
    task = factories.awaiting_confirmation(on=factories.agent(connected=True))
    ann = factories.person("ann")

    found = every_order(
        lambda delete, confirm: (word(delete), word(confirm), is_there(task.workspace)),
        delete=partial(remove, task.workspace),
        confirm=lambda: confirmation.confirm(deepcopy(task), by=ann),
    )

    found.demand(("InUse", True, True))
