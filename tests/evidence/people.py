"""What people do about a lost task, and what time does."""

from copy import copy

from agents.models import Agent
from iacplatform.base import clock
from tasks import remedies
from tasks.models import Task
from tests.tasks import factories


def mark_failed(task: Task) -> None:
    """Mark the task as failed; this row of it keeps the lost attempt's epoch."""
    remedies.mark_failed(copy(task), by=factories.person(), reason="It is over.")


def silence(task: Task) -> None:
    """Let the lease of the task's agent end."""
    Agent.objects.filter(pk=task.agent_id).update(lease_until=clock.now())
