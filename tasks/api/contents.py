"""What a task leaves behind: its history, its log and its plan."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base.negotiation import AsItIs
from tasks import logs, plan_documents
from tasks.api.rows import OneTask
from tasks.models import Task, TaskEvent
from tasks.serializers import EventSerializer, LogQuery
from tasks.states import Phase

_HEADERS = [
    OpenApiParameter("X-Log-Offset", int, OpenApiParameter.HEADER, response=True, description="Where to go on."),
    OpenApiParameter(
        "X-Log-Complete", bool, OpenApiParameter.HEADER, response=True, description="Nothing follows, now or later."
    ),
    OpenApiParameter(
        "X-Log-Attempt", int, OpenApiParameter.HEADER, response=True, description="Whose log it is; 0: there is none."
    ),
]


class Events(OneTask, generics.ListAPIView[Task]):
    """Every move of the task, the oldest first."""

    serializer_class = EventSerializer
    filterset_class = None

    def get(self, request: Request, **names: Any) -> Response:
        """List the moves."""
        rows = self.paginate_queryset(TaskEvent.objects.filter(task=self.task).order_by("id"))
        return self.get_paginated_response(EventSerializer(rows, many=True).data)


class Log(OneTask):
    """The log of a phase, byte for byte; of its newest attempt unless `attempt` names one."""

    content_negotiation_class = AsItIs

    @extend_schema(
        parameters=[LogQuery, *_HEADERS],
        responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, f"At most {logs.MOST_BYTES:,} bytes.")},
    )
    def get(self, request: Request, **names: Any) -> HttpResponse:
        """Return the bytes from `offset` on."""
        asked = LogQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        phase = wanted.get("phase") or self.task.phase or Phase.PLAN
        return _text(logs.read(self.task, phase=phase, offset=wanted["offset"], number=wanted["attempt"]))


class PlanJSON(OneTask):
    """The task's current plan, as the engine's `show -json` said it, with sensitive values masked."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, **names: Any) -> Response:
        """Show the plan."""
        return Response(plan_documents.shown(self.task))


def _text(piece: logs.Piece) -> HttpResponse:
    headers = {
        "X-Log-Offset": str(piece.next_offset),
        "X-Log-Complete": "true" if piece.is_complete else "false",
        "X-Log-Attempt": str(piece.attempt),
        "Cache-Control": "no-store",
    }
    return HttpResponse(piece.data, content_type="text/plain; charset=utf-8", headers=headers)
