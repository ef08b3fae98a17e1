"""What warnings of a running task rest on, as rows read `with_outlook` carry it."""

from typing import Any

from django.db.models import OuterRef, QuerySet

from tasks.models import Attempt, LogChunk, outlook


def connect() -> None:
    """Have such rows carry `begun_at` and `output_at`."""
    outlook.add_fact("begun_at", _begun)
    outlook.add_fact("output_at", _said)


def _begun() -> QuerySet[Any]:
    current = Attempt.objects.filter(task=OuterRef("pk"), epoch=OuterRef("epoch"))
    return current.values("accepted_at")[:1]


def _said() -> QuerySet[Any]:
    pieces = LogChunk.objects.filter(attempt__task=OuterRef("pk"), attempt__epoch=OuterRef("epoch"))
    return pieces.order_by("-offset").values("at")[:1]
