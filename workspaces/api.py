"""Workspaces in the API."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base.problems import Invalid
from iacplatform.base.serializers import Strict
from iacplatform.base.views import Remove, Scoped
from workspaces import filters, locks, serializers
from workspaces.models import Variable, Workspace

FORCE = OpenApiParameter("force", bool, description="Also when its state still holds resources, which stay unmanaged.")


def is_true(request: Request, name: str) -> bool:
    """Return a yes-or-no query parameter, False when it is absent; raise `Invalid` for anything else."""
    asked = request.query_params.get(name, "false").lower()
    if asked not in {"true", "false", "1", "0"}:
        raise Invalid(f"{name} is true or false.")
    return asked in {"true", "1"}


class WorkspaceList(Scoped, generics.ListCreateAPIView[Workspace]):
    """All workspaces; POST makes one."""

    queryset = Workspace.objects.select_related("pool")
    serializer_class = serializers.WorkspaceSerializer
    filterset_class = filters.WorkspaceFilter
    rights_model = Workspace


class OneWorkspace(Scoped):
    """What the workspace that the address names has, or what is done to it."""

    workspace: Workspace
    rights_model: Any = Workspace

    def locate(self) -> None:
        """Fetch the workspace."""
        self.workspace = self.fetch(Workspace, pk=self.kwargs["ws"])

    def get_queryset(self) -> Any:
        """Return the workspace's rows."""
        return super().get_queryset().filter(workspace_id=self.kwargs["ws"])

    def get_serializer_context(self) -> dict[str, Any]:
        """Return the context with the workspace."""
        return {**super().get_serializer_context(), "workspace": getattr(self, "workspace", None)}


class WorkspaceDetail(OneWorkspace, generics.RetrieveUpdateDestroyAPIView[Workspace]):
    """One workspace. DELETE takes its finished tasks, versions and states with it, and needs all tasks to be final."""

    queryset = Workspace.objects.select_related("pool")
    serializer_class = serializers.WorkspaceSerializer
    http_method_names = ["get", "patch", "delete", "options", "head"]
    remove: Remove = staticmethod(lambda workspace, force: workspace.delete())

    def get_object(self) -> Workspace:
        """Return the workspace."""
        return self.workspace

    @extend_schema(parameters=[FORCE])
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete by the function of the layer that knows tasks."""
        self.remove(self.workspace, force=is_true(request, "force"))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _Verb(OneWorkspace):
    queryset = Workspace.objects.all()
    serializer_class = serializers.WorkspaceSerializer
    rights_verb = "change"

    def shown(self) -> Response:
        """Return the workspace as it is now."""
        return Response(self.get_serializer(self.workspace).data)


class Lock(_Verb):
    """A person's lock: nothing that changes things starts while it holds."""

    @extend_schema(request=serializers.Reason, responses=serializers.WorkspaceSerializer)
    def post(self, request: Request, ws: str) -> Response:
        """Lock; one's own lock again gets the new reason."""
        asked = serializers.Reason(data=request.data)
        asked.is_valid(raise_exception=True)
        locks.lock(self.workspace, by=request.user, reason=asked.validated_data["reason"])
        return self.shown()


class Unlock(_Verb):
    """The end of a person's lock."""

    @extend_schema(request=None, responses=serializers.WorkspaceSerializer)
    def post(self, request: Request, ws: str) -> Response:
        """Unlock; the workspace's tasks go on."""
        Strict(data=request.data).is_valid(raise_exception=True)
        locks.unlock(self.workspace)
        return self.shown()


class VariableList(OneWorkspace, generics.ListCreateAPIView[Variable]):
    """Values for the configuration or the engine's environment; tasks take them when they are created."""

    queryset = Variable.objects.all()
    serializer_class = serializers.VariableSerializer
    rights_model = Variable


class VariableDetail(OneWorkspace, generics.RetrieveUpdateDestroyAPIView[Variable]):
    """One variable."""

    queryset = Variable.objects.all()
    serializer_class = serializers.VariableSerializer
    rights_model = Variable
    http_method_names = ["get", "patch", "delete", "options", "head"]

    def get_queryset(self) -> Any:
        """Return the workspace's variables; a row that is changed is locked."""
        rows = super().get_queryset()
        return rows.select_for_update(of=("self",)) if self.request.method == "PATCH" else rows

    @transaction.atomic
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change it. Of two changes at once the later one sees the other: what became sensitive stays so."""
        return super().patch(request, *args, **kwargs)
