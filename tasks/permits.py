"""The word without which no apply starts. It is committed before the agent hears it."""

from enum import StrEnum

from django.db import transaction

from iacplatform.base import actors, clock
from tasks import attempts, plans, recovery
from tasks.models import Attempt, Task
from tasks.states import Position


class Answer(StrEnum):
    """What an agent that asks is told."""

    GRANTED = "granted"
    STALE = "stale"
    """The state moved: the task went back for a new plan, and the attempt is over."""
    REFUSED = "refused"
    """A cancel was asked for, or there is nothing to apply."""


def ask(task_id: int, epoch: int, agent_id: str) -> Answer:
    """Return whether the apply may start; asking again returns the same. Raises `StaleEpoch` for an old attempt."""
    with transaction.atomic():
        task, attempt = attempts.locked(task_id, epoch, agent_id)
        if task.position != Position.APPLYING:
            return Answer.REFUSED
        if attempt.permitted_at is not None:
            return Answer.GRANTED
        return _decide(task, attempt)


def _decide(task: Task, attempt: Attempt) -> Answer:
    if task.cancelled_at is not None:
        return Answer.REFUSED
    if plans.is_stale(task):
        agent = actors.agent(attempt.agent_name)
        recovery.plan_again(task, cause="The state has changed since the plan was made.", actor=agent)
        return Answer.STALE
    Attempt.objects.filter(pk=attempt.pk).update(permitted_at=clock.DatabaseNow())
    return Answer.GRANTED
