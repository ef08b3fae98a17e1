"""The state in the API: terraform's `http` backend, and the versions."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from iacplatform.base import actors, bodies, rights
from iacplatform.base.problems import Invalid, NotFound, Problem
from iacplatform.base.serializers import Strict
from workspaces import serializers, state_documents, states
from workspaces.api import OneWorkspace, is_true
from workspaces.holders import Holder, nothing
from workspaces.models import KeptState, StateLock, StateVersion, Workspace

_RAW = {"application/json": OpenApiTypes.OBJECT}
_LOCK_ID = OpenApiParameter("ID", str, description="Id of the lock that the caller holds.")
LOCKED = {"423": "The state is locked; further members are those of the lock."}
_OVER = {"410": "The attempt whose token this is has ended."}
_CONTENT = OpenApiParameter("content", bool, description="Answer the state itself; it may hold secrets.")


def _or_content(name: str, facts: type[Serializer[Any]]) -> PolymorphicProxySerializer:
    """Return what `?content=` chooses from."""
    return PolymorphicProxySerializer(name, [facts, serializers.StateShape], resource_type_field_name=None)


class MethodRefused(Problem):
    """The state is only followed by another version."""

    status = 405
    code = "method_not_allowed"


def person(user: Any, workspace_id: str, fence: Callable[[], None] = nothing) -> Holder:
    """Return what a person may do with the state, by their permissions."""
    may_write = rights.may(user, rights.name("add", StateVersion))
    return Holder(
        name=actors.user(user),
        workspace_id=workspace_id,
        may_read=rights.may(user, rights.name("view", StateVersion)),
        may_write=may_write,
        may_lock=may_write,
        may_break=rights.may(user, rights.name("delete", StateLock)),
        fence=fence,
    )


class State(APIView):
    """Terraform's `http` backend. Basic authentication takes an API token as the password."""

    permission_classes = [IsAuthenticated]
    parser_classes: list[Any] = []
    http_method_names = ["get", "post", "delete", "lock", "unlock", "options"]
    refusals = {"get": {"403": "The caller may not read states.", **_OVER}, "post": {**_OVER, **LOCKED}}

    def holder(self, request: Request, ws: str) -> Holder:
        """Return who asks; raise `NotFound` where they may not see the workspace."""
        if isinstance(request.auth, Holder):
            return request.auth
        if not Workspace.objects.visible_to(request.user).filter(pk=ws).exists():
            raise NotFound(f"There is no workspace {ws}, or none that you may see.")
        return person(request.user, ws)

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT, 204: None})
    def get(self, request: Request, ws: str) -> HttpResponse:
        """Answer the newest state; 204 while there is none."""
        newest = states.newest(ws, self.holder(request, ws))
        if newest is None:
            return HttpResponse(status=status.HTTP_204_NO_CONTENT)
        return HttpResponse(newest.content(), content_type="application/json")

    @extend_schema(request=_RAW, responses={200: None}, parameters=[_LOCK_ID])
    def post(self, request: Request, ws: str) -> HttpResponse:
        """Store the next state. One that a task's run sends too late is kept aside: 409, `kept_aside` is its number."""
        holder = self.holder(request, ws)
        content = bodies.read(request, settings.STATE_MAX_BYTES)
        state_documents.check_md5(content, request.headers.get("Content-MD5", ""))
        states.store(ws, content, holder, lock_id=request.query_params.get("ID", ""))
        return HttpResponse(status=status.HTTP_200_OK)

    @extend_schema(exclude=True)
    def delete(self, request: Request, ws: str) -> HttpResponse:
        """Refuse: versions of a state stay."""
        self.holder(request, ws)
        allow = {"Allow": "GET, POST, LOCK, UNLOCK"}
        raise MethodRefused("A state is never deleted: delete the workspace, or push an empty state.", headers=allow)

    def lock(self, request: Request, ws: str) -> HttpResponse:
        """Take the lock; 423 shows who holds it."""
        holder = self.holder(request, ws)
        info = _lock_info(request)
        if not info.get("ID"):
            raise Invalid("A lock has an ID.")
        states.lock(ws, info["ID"], info, holder)
        return HttpResponse(status=status.HTTP_200_OK)

    def unlock(self, request: Request, ws: str) -> HttpResponse:
        """Let go of the lock that the body names; without a body of whatever lock is held (force-unlock)."""
        holder = self.holder(request, ws)
        states.unlock(ws, _lock_info(request).get("ID", ""), holder)
        return HttpResponse(status=status.HTTP_200_OK)


def _lock_info(request: Request) -> dict[str, Any]:
    """Return the lock's members as the engine sent them, all of them texts; empty when there is no body."""
    body = bodies.read(request, 16 * 1024)
    info = bodies.loads(body) if body.strip() else {}
    if not isinstance(info, dict) or not all(isinstance(value, str) and "\0" not in value for value in info.values()):
        raise Invalid("The lock's information is no JSON object of texts.")
    if len(info.get("ID", "")) > 200:
        raise Invalid("The lock's ID is longer than 200 characters.")
    return info


class StateVersionList(OneWorkspace, generics.ListAPIView[StateVersion]):
    """Versions of the state, the newest first; POST of a whole state adds one."""

    queryset = StateVersion.objects.defer("sealed_content")
    serializer_class = serializers.StateVersionSerializer
    parser_classes: list[Any] = []
    rights_model = StateVersion
    refusals = {"post": LOCKED}
    demand_idle: Callable[[str], None] = staticmethod(lambda workspace_id: None)

    @extend_schema(request=_RAW, responses={201: serializers.StateVersionSerializer})
    def post(self, request: Request, ws: str) -> Response:
        """Add a version by hand; refused while the state is locked or a task of the workspace runs."""
        holder = person(request.user, ws, fence=lambda: self.demand_idle(ws))
        stored = states.upload(ws, bodies.read(request, settings.STATE_MAX_BYTES), holder)
        return Response(self.get_serializer(stored).data, status=status.HTTP_201_CREATED)


class StateVersionDetail(OneWorkspace, generics.RetrieveAPIView[StateVersion]):
    """One version; `?content=true` answers the state itself, for which seeing versions is permission enough."""

    queryset = StateVersion.objects.all()
    serializer_class = serializers.StateVersionSerializer
    rights_model = StateVersion
    lookup_field = "serial"

    @extend_schema(
        parameters=[_CONTENT], responses=_or_content("StateVersionOrContent", serializers.StateVersionSerializer)
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer the version's facts, or its content."""
        version = self.get_object()
        if not is_true(request, "content"):
            return Response(self.get_serializer(version).data)
        return _download(version.content(), f"{version.workspace_id}-{version.serial}")


class Rollback(OneWorkspace):
    """An earlier content as the newest version."""

    queryset = StateVersion.objects.defer("sealed_content")
    serializer_class = serializers.StateVersionSerializer
    rights_model = StateVersion
    lookup_field = "serial"
    refusals = {"post": LOCKED}
    demand_idle: Callable[[str], None] = staticmethod(lambda workspace_id: None)

    @extend_schema(request=None, responses={201: serializers.StateVersionSerializer})
    def post(self, request: Request, ws: str, serial: int) -> Response:
        """Add a version with this content and the next serial."""
        Strict(data=request.data).is_valid(raise_exception=True)
        holder = person(request.user, ws, fence=lambda: self.demand_idle(ws))
        stored = states.roll_back(self.get_object(), holder)
        return Response(self.get_serializer(stored).data, status=status.HTTP_201_CREATED)


class KeptStateList(OneWorkspace, generics.ListAPIView[KeptState]):
    """States that runs of tasks sent too late, the newest first. None of them is a version, unless a person adds it."""

    queryset = KeptState.objects.defer("sealed_content")
    serializer_class = serializers.KeptStateSerializer


class KeptStateDetail(OneWorkspace, generics.RetrieveAPIView[KeptState]):
    """One of them; `?content=true` answers the state itself, which can be uploaded like any other."""

    queryset = KeptState.objects.all()
    serializer_class = serializers.KeptStateSerializer

    @extend_schema(parameters=[_CONTENT], responses=_or_content("KeptStateOrContent", serializers.KeptStateSerializer))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer its facts, or its content."""
        kept = self.get_object()
        if not is_true(request, "content"):
            return Response(self.get_serializer(kept).data)
        return _download(kept.content(), f"{kept.workspace_id}-kept-{kept.pk}")


def _download(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{name}.tfstate"'
    return answer
