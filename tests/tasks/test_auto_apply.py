"""Only what its creator could have confirmed is confirmed beforehand: one plan, never a destroy, never a second plan."""

import pytest
from django.contrib.auth.models import Permission, User

from tasks import recovery
from tasks.states import Event, Status
from tests.tasks import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def automatic() -> Workspace:
    return factories.workspace(auto_apply=True)


def somebody(*permissions: str) -> User:
    person = User.objects.create_user("cal")
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return person


def test_it_confirms_at_the_plans_end_in_its_creators_name() -> None:
    task = factories.planned(factories.planning(workspace=automatic(), by=factories.person("bob")))

    assert task.status == Status.CONFIRMED
    assert str(task.confirmed_by) == "bob"
    assert task.confirmed_at is not None and task.plan_digest
    event = task.events.get(event=Event.AUTO_APPLY)
    assert (event.before, event.after) == ("running", "confirmed")


def test_it_is_frozen_when_the_task_is_made() -> None:
    workspace = factories.workspace()
    task = factories.pending(workspace=workspace)
    Workspace.objects.filter(pk=workspace.pk).update(auto_apply=True)
    assert factories.planned(factories.running(task)).status == Status.APPLY_PENDING


def test_switching_it_off_later_does_not_reach_a_task_that_has_it() -> None:
    workspace = automatic()
    task = factories.pending(workspace=workspace)
    Workspace.objects.filter(pk=workspace.pk).update(auto_apply=False)
    assert factories.planned(factories.running(task)).status == Status.CONFIRMED


def test_a_destroy_is_never_confirmed_by_itself() -> None:
    task = factories.planning(workspace=automatic(), task_type="destroy")
    assert factories.planned(task).status == Status.APPLY_PENDING


def test_who_may_not_confirm_confirms_nothing_beforehand() -> None:
    task = factories.planning(workspace=automatic(), by=somebody("add_task"))
    assert factories.planned(task).status == Status.APPLY_PENDING


def test_who_may_confirm_does() -> None:
    task = factories.planning(workspace=automatic(), by=somebody("add_task", "confirm_task"))
    assert factories.planned(task).status == Status.CONFIRMED


def test_a_second_plan_is_never_confirmed_by_itself() -> None:
    task = factories.planned(factories.planning(workspace=automatic()))
    factories.store_state(task.workspace_id)
    recovery.plan_again(task, cause="The state has changed.", actor="platform:dispatcher")

    again = factories.planned(factories.running(task))

    assert (again.status, again.confirmed_by) == (Status.APPLY_PENDING, None)


def test_a_plan_without_changes_ends_and_is_not_confirmed() -> None:
    task = factories.planned(factories.planning(workspace=automatic()), has_changes=False)
    assert (task.status, task.confirmed_at) == (Status.SUCCESS, None)
