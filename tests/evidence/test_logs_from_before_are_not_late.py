"""Logs that were stored before their pieces had a time did not come late, whatever the time of the migration."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection

from agents import evidence
from iacplatform.base import clock
from tasks.models import LogChunk, Task
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def lost_apply() -> Task:
    task = factories.applying(on=factories.agent())
    factories.say(task, b"one\n")
    return factories.lose(task)


def interrupted_plan() -> Task:
    task = factories.planning(on=factories.agent())
    factories.say(task, b"one\n")
    return factories.lose(task)


@pytest.mark.parametrize("make", [lost_apply, interrupted_plan])
def test_a_log_from_before_the_migration_is_no_evidence(make: Callable[[], Task]) -> None:
    task = make()
    LogChunk.objects.update(at=clock.now() + timedelta(hours=1))
    assert evidence.of(task)
    with connection.cursor() as cursor:
        cursor.execute(import_module("tasks.migrations.0004_late_evidence").OF_OLD_ROWS)
    assert evidence.of(task) == []


def test_a_piece_of_what_still_runs_keeps_its_time() -> None:
    task = factories.planning(on=factories.agent())
    factories.say(task, b"one\n")
    before = LogChunk.objects.get().at
    with connection.cursor() as cursor:
        cursor.execute(import_module("tasks.migrations.0004_late_evidence").OF_OLD_ROWS)
    assert LogChunk.objects.get().at == before
