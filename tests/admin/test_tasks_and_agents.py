"""Tasks and agents in the admin: shown to whoever may see them, written by no hand, moved by the verbs."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents.models import Agent, Silence
from iacplatform.base import clock
from iacplatform.base.models import SWEEP, Beat
from tasks.models import LateResult, Task
from tests import factories as rows
from tests.tasks import factories

pytestmark = pytest.mark.django_db

MODELS = [model for name in ("tasks", "agents", "base") for model in apps.get_app_config(name).get_models()]


def staff(*permissions: str) -> Client:
    """Return a client logged in to the admin, with exactly these permissions."""
    user = rows.person(*permissions)
    user.is_staff = True
    user.save()
    return logged_in(user)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss() -> Client:
    """A client that may do everything."""
    return logged_in(rows.admin())


def address(model: type[Model], page: str, *names: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=names)


def act(client: Client, action: str, *tasks: Model, reason: str = "") -> list[str]:
    """Do an admin's action to the rows and return what it says."""
    body = {"action": action, "_selected_action": [str(task.pk) for task in tasks], "reason": reason}
    answer = client.post(address(type(tasks[0]), "changelist"), body)
    assert answer.status_code == 302
    client.get(address(type(tasks[0]), "changelist"))  # it shows what is told, so that it is told once
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.fixture
def everything() -> None:
    """A row of each model."""
    task = factories.applied()
    said = factories.say(task, b"words")
    LateResult.objects.create(attempt=said, outcome="applied", exit_code=0, seconds=1)
    Beat.objects.strike(SWEEP)
    Silence.objects.create(agent=Agent.objects.earliest("pk"), silent_from=clock.now(), cause="late")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_listed_and_shown_and_nothing_can_be_written(
    boss: Client, everything: None, model: type[Model]
) -> None:
    assert admin.site.is_registered(model)
    row = model._default_manager.first()
    assert row is not None
    assert boss.get(address(model, "changelist")).status_code == 200
    shown = boss.get(address(model, "change", row.pk))
    assert shown.status_code == 200
    assert b'name="_save"' not in shown.content
    assert boss.get(address(model, "add")).status_code == 403
    assert boss.post(address(model, "change", row.pk), {}).status_code == 403
    assert boss.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_who_may_not_see_a_model_finds_none_of_it(everything: None, model: type[Model]) -> None:
    assert staff().get(address(model, "changelist")).status_code == 403


def test_tasks_are_narrowed_to_what_is_stuck(boss: Client) -> None:
    lost, fine = factories.needing_attention(), factories.pending()
    shown = boss.get(address(Task, "changelist"), {"stuck": "yes"}).content.decode()
    assert address(Task, "change", lost.pk) in shown
    assert address(Task, "change", fine.pk) not in shown


def test_agents_are_drained(boss: Client) -> None:
    ada = factories.agent("ada", connected=True)
    assert act(boss, "drain", ada) == ["Agent ada takes nothing new, finishes what it runs, and leaves."]
    assert Agent.objects.get(pk=ada.pk).draining


def test_agents_are_narrowed_to_those_that_are_connected(boss: Client) -> None:
    ada, bob = factories.agent("ada", connected=True), factories.agent("bob")
    shown = boss.get(address(Agent, "changelist"), {"connected": "yes"}).content.decode()
    assert address(Agent, "change", ada.pk) in shown
    assert address(Agent, "change", bob.pk) not in shown
