"""A task's plan, ready to be read by a person."""

from iacplatform.base.encryption import Unreadable
from iacplatform.base.problems import NotFound
from iacplatform.console import changes
from iacplatform.console.changes import Changes
from tasks import plan_documents
from tasks.errors import PlanUnreadable
from tasks.models import PlanPart, Task
from tasks.models.plan import Part

MOST_BYTES = 8 * 1024 * 1024
"""Of a plan's JSON that is opened for a page. A larger one is left to its own address."""


def of(task: Task) -> Changes | None:
    """Return what the task's current plan would change, or None: it has none, or one that no page can show."""
    if not task.plan_digest or _is_too_large(task):
        return None
    try:
        return changes.of(plan_documents.shown(task))
    except (NotFound, PlanUnreadable, Unreadable, *plan_documents.MISSHAPEN):
        return None


def _is_too_large(task: Task) -> bool:
    parts = PlanPart.objects.filter(attempt__plan__task=task, attempt__plan__digest=task.plan_digest, part=Part.JSON)
    return parts.filter(size__gt=MOST_BYTES).exists()
