"""Whoever locks a task and its attempt locks the task first, or two of them could wait for each other for ever."""

from contextlib import closing

import pytest
from django.db import OperationalError, connections, transaction

from tasks import attempts
from tasks.models import Attempt, Task
from tests.races.racing import waiting
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_waits_for_the_attempt_has_the_task_already() -> None:
    task = factories.offered()
    attempt = attempts.newest_of(task)

    with closing(connections.create_connection("default")) as another:
        another.set_autocommit(False)
        with another.cursor() as cursor:
            cursor.execute('UPDATE "tasks_attempt" SET log_held = 0 WHERE id = %s', [attempt.pk])
        with waiting(lambda: attempts.accept(task.pk, task.epoch, task.agent_id)) as accepts:
            with pytest.raises(OperationalError, match="could not obtain lock"), transaction.atomic():
                Task.objects.select_for_update(nowait=True).get(pk=task.pk)
            another.commit()
        assert isinstance(accepts.result(), Attempt)
