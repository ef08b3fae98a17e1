"""Plans that the platform confirms by itself, because their creator agreed beforehand."""

from tasks.models import Plan, TaskEvent
from tasks.states import Event
from tests.simulation.ledger import Ledger


def catch_up(ledger: Ledger, task_id: int) -> None:
    """Write down that the task was confirmed by itself, if it was: an agent is about to apply it."""
    if task_id in ledger.beforehand and task_id not in ledger.confirmed:
        for number in TaskEvent.objects.filter(task_id=task_id, event=Event.AUTO_APPLY).values_list("pk", flat=True):
            note(ledger, number, task_id)


def note(ledger: Ledger, event_id: int, task_id: int) -> None:
    """Write down once that the task was confirmed by itself. Fails where nobody agreed to that."""
    if event_id not in ledger.noted:
        ledger.noted.add(event_id)
        ledger.confirm_beforehand(task_id, Plan.objects.get(task_id=task_id).digest)
