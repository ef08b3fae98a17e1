"""A state that a task's run sent too late is refused and kept aside: it may be the only word of what was made.

Each body is kept once. Of one task only so many are kept, in number and in bytes; an older one goes for a newer one,
which knows all that the older one did.
"""

from itertools import accumulate

from django.conf import settings
from django.db import transaction

from iacplatform.base import encryption
from iacplatform.base.problems import Problem
from workspaces.holders import Holder
from workspaces.models import KeptState
from workspaces.state_documents import Document

MOST = 10
"""Of one task."""


def refused(workspace_id: str, document: Document, holder: Holder, refusal: Problem) -> Problem:
    """Keep the state, and return the refusal (409) that says so and names it: `kept_aside` is its number."""
    row = _keep(workspace_id, document, holder, refusal.detail)
    detail = f"{refusal.detail} The state was not stored; it is kept aside as number {row.pk}, for people to look at."
    return Problem(detail, code=refusal.code, extras={**refusal.extras, "kept_aside": row.pk})


def most_bytes() -> int:
    """Return how many bytes are kept of one task: two of the largest states that are taken."""
    return 2 * settings.STATE_MAX_BYTES


def _keep(workspace_id: str, document: Document, holder: Holder, why: str) -> KeptState:
    task_id = holder.task_id or 0
    with transaction.atomic():
        row, _ = KeptState.objects.defer("sealed_content").get_or_create(
            task_id=task_id,
            digest=document.digest,
            defaults={
                "workspace_id": workspace_id,
                "epoch": holder.epoch or 0,
                "serial": document.serial,
                "lineage": document.lineage,
                "size": len(document.content),
                "resources": document.resources,
                "sealed_content": encryption.seal(document.content, KeptState.owner(workspace_id, task_id)),
                "why": why,
                "created_by": holder.author or holder.name,
            },
        )
        KeptState.objects.filter(pk__in=_surplus(task_id)).delete()
    return row


def _surplus(task_id: int) -> list[int]:
    """Return what goes for the newest."""
    rows = list(KeptState.objects.filter(task_id=task_id).order_by("-id").values_list("pk", "size"))
    totals = accumulate(size for _, size in rows)
    numbered = enumerate(zip(rows, totals, strict=True))
    return [pk for number, ((pk, _), total) in numbered if number and (number >= MOST or total > most_bytes())]
