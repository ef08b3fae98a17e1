"""What an attempt fetches, stores and says over HTTP, with its own token: its job, its plan's parts, its reports."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents import attempt_words, protocol
from agents.attempt_shapes import EntryShape, JobShape, WordShape
from iacplatform.base import bodies
from iacplatform.base.negotiation import AsItIs
from iacplatform.base.problems import Problem
from tasks import plans
from tasks.authentication import AttemptAuthentication
from tasks.errors import AttemptClosed
from tasks.models import Attempt, Plan, PlanPart
from tasks.models.plan import Part
from tasks.states import Phase
from workspaces import archives, manifests
from workspaces.models import Configuration, Manifest

_BYTES = "application/octet-stream"
_CONTENT = {_BYTES: OpenApiTypes.BINARY}
_HAS = OpenApiParameter("configuration", str, description="Digest of the files that the agent has: they come no more.")
_SHA256 = OpenApiParameter(
    "X-Content-SHA256", str, OpenApiParameter.HEADER, required=True, description="Of the body, in hex."
)
_PART = OpenApiParameter("part", str, OpenApiParameter.PATH, enum=Part.values)
_OVER = {"410": "The attempt is over; drop it."}


class AttemptView(APIView):
    """For an agent with the token of an attempt."""

    authentication_classes = [AttemptAuthentication]
    permission_classes = [IsAuthenticated]
    content_negotiation_class = AsItIs
    refusals = {"get": _OVER, "put": _OVER, "post": _OVER}

    def attempt(self, request: Request) -> Attempt:
        """Return the caller's attempt. Raises `AttemptClosed` when it is not the task's current one any more."""
        holder: Any = request.auth
        attempt: Attempt = holder.attempt
        if attempt.is_over:
            raise AttemptClosed("This attempt is over; drop it.")
        return attempt


class Job(AttemptView):
    @extend_schema(parameters=[_HAS], responses=JobShape)
    def get(self, request: Request) -> Response:
        """Answer everything that the agent needs to run the phase, but for the files that it says it has."""
        return Response(_job(self.attempt(request), has=request.query_params.get("configuration", "")))


class ConfigurationPartView(AttemptView):
    @extend_schema(responses={(200, _BYTES): OpenApiTypes.BINARY})
    def get(self, request: Request, number: int) -> HttpResponse:
        """Answer a part of the configuration's archive."""
        content = archives.part(self.attempt(request).task.configuration, number)
        return HttpResponse(content, content_type="application/octet-stream")


class ManifestView(AttemptView):
    parser_classes: list[Any] = []

    @extend_schema(request={"application/json": EntryShape(many=True)}, responses={204: None})
    def put(self, request: Request) -> HttpResponse:
        """Take what the agent found in the archive."""
        configuration = self.attempt(request).task.configuration
        manifests.keep(configuration, bodies.loads(bodies.read(request, manifests.MOST_BYTES)))
        return HttpResponse(status=204)


class PlanPartView(AttemptView):
    parser_classes: list[Any] = []

    @extend_schema(parameters=[_PART], responses={(200, _BYTES): OpenApiTypes.BINARY})
    def get(self, request: Request, part: str) -> HttpResponse:
        """Answer a part of the confirmed plan."""
        attempt = self.attempt(request)
        plan = Plan.objects.current_of(attempt.task) if attempt.phase == Phase.APPLY else None
        stored = PlanPart.objects.filter(attempt_id=plan.attempt_id, part=part).first() if plan else None
        if stored is None:
            raise NotFound("The plan has no such part.")
        return HttpResponse(stored.content(), content_type="application/octet-stream")

    @extend_schema(parameters=[_PART, _SHA256], request=_CONTENT, responses={204: None})
    def put(self, request: Request, part: str) -> HttpResponse:
        """Store a part of the plan that the attempt makes."""
        attempt = self.attempt(request)
        if part not in Part.values:
            raise NotFound(f"A plan has the parts {', '.join(Part.values)}.")
        if attempt.phase != Phase.PLAN:
            raise Problem("Only a plan phase stores a plan; this attempt applies one.", code="wrong_phase")
        content = bodies.read(request, settings.PLAN_PART_MAX_BYTES)
        plans.keep_part(attempt, part, content, request.headers.get("X-Content-SHA256", ""))
        return HttpResponse(status=204)


class Words(AttemptView):
    parser_classes: list[Any] = []

    @extend_schema(request={"application/json": WordShape}, responses={200: WordShape(many=True)})
    def post(self, request: Request) -> HttpResponse:
        """Hear one word about the attempt, and answer a list of words."""
        holder: Any = request.auth
        text = bodies.read(request, protocol.MESSAGE_BYTES).decode(errors="replace")
        words = attempt_words.hear(holder.attempt, text)
        return HttpResponse(f"[{','.join(map(protocol.dump, words))}]", content_type="application/json")


def _job(attempt: Attempt, *, has: str) -> dict[str, Any]:
    task, workspace, configuration = attempt.task, attempt.task.workspace, attempt.task.configuration
    timeout = workspace.plan_timeout_seconds if attempt.phase == Phase.PLAN else workspace.apply_timeout_seconds
    plan = Plan.objects.current_of(task) if attempt.phase == Phase.APPLY else None
    return {
        "task": task.pk,
        "epoch": attempt.epoch,
        "phase": attempt.phase,
        "attempt": attempt.number,
        "task_type": task.task_type,
        "workspace_id": workspace.pk,
        "workspace_name": workspace.name,
        "engine": plan.engine if plan else workspace.engine,
        "version": plan.version if plan else workspace.terraform_version,
        "working_directory": workspace.working_directory,
        "configuration": configuration.digest,
        "files": None if has == configuration.digest else configuration.files,
        "archive": None if has == configuration.digest else _archive(configuration),
        "variables": json.loads(task.input.variables()),
        "timeout_seconds": timeout,
        "state_url": f"/api/v1/workspaces/{workspace.pk}/state",
        "plan": _plan(plan) if plan else None,
    }


def _archive(configuration: Configuration) -> dict[str, Any] | None:
    if not configuration.is_archive:
        return None
    return {"parts": configuration.parts_count, "is_known": Manifest.of(configuration) is not None}


def _plan(plan: Plan) -> dict[str, Any]:
    parts = dict(PlanPart.objects.filter(attempt_id=plan.attempt_id).values_list("part", "digest"))
    names = ("digest", "engine", "version", "os", "arch")
    return {**{name: getattr(plan, name) for name in names}, "parts": parts}
