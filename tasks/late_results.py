"""Results of attempts that were over when their agent said them: evidence for people, never a move."""

from django.db import IntegrityError, transaction

from tasks.errors import StaleEpoch
from tasks.models import Attempt, LateResult
from tasks.results import Result


def keep(task_id: int, epoch: int, agent_id: str, result: Result) -> None:
    """Keep what the agent said of its attempt's end. The first one counts: said again, it is nothing new.

    Raises `StaleEpoch` where the task has no such attempt of this agent.
    """
    attempt = Attempt.objects.filter(task_id=task_id, epoch=epoch, agent_id=agent_id).first()
    refused = StaleEpoch(f"Attempt {epoch} of task {task_id} is not this agent's.")
    if attempt is None:
        raise refused
    said = LateResult(
        attempt=attempt,
        outcome=result.outcome,
        exit_code=result.exit_code,
        seconds=result.seconds,
        error_code=result.error_code,
        error_message=result.error_message,
    )
    try:
        with transaction.atomic():
            LateResult.objects.bulk_create([said], ignore_conflicts=True)
    except IntegrityError as error:
        raise refused from error  # the task was deleted in this moment
