"""Lists of tasks, and one of them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base.views import Scoped
from tasks import creation
from tasks.filters import TaskFilter
from tasks.models import Task
from tasks.serializers import NewTask, TaskSerializer
from workspaces.models import Workspace


class Tasks(Scoped):
    """Tasks that the caller may see, as the API shows them."""

    queryset = Task.objects.with_outlook()
    serializer_class: Any = TaskSerializer

    def answer(self, task_id: int, code: int = status.HTTP_200_OK, **more: Any) -> Response:
        """Return the task as its row is now, read after what was done to it."""
        task = self.get_queryset().get(pk=task_id)
        return Response({**TaskSerializer(task, context=self.get_serializer_context()).data, **more}, status=code)


class TaskList(Tasks, generics.ListAPIView[Task]):
    """Tasks of all workspaces, the newest first."""

    filterset_class = TaskFilter


class TasksOfWorkspace(Tasks, generics.ListAPIView[Task]):
    """Tasks of one workspace, the newest first; POST makes one."""

    filterset_class = TaskFilter
    rights_model = Task
    workspace: Workspace

    def locate(self) -> None:
        """Fetch the workspace."""
        self.workspace = self.fetch(Workspace, pk=self.kwargs["ws"])

    def get_queryset(self) -> Any:
        """Return the workspace's tasks."""
        return super().get_queryset().filter(workspace_id=self.kwargs.get("ws"))

    @extend_schema(request=NewTask, responses={201: TaskSerializer})
    def post(self, request: Request, ws: str) -> Response:
        """Make a task of the newest configuration and today's variables; 409 where nothing was uploaded yet."""
        asked = NewTask(data=request.data)
        asked.is_valid(raise_exception=True)
        task = creation.create(self.workspace, by=request.user, **asked.validated_data)
        return self.answer(task.pk, status.HTTP_201_CREATED)


class OneTask(Tasks):
    """The task that the address names, alone or within its workspace."""

    task: Task

    def locate(self) -> None:
        """Fetch the task."""
        names = {"pk": self.kwargs["task_id"]} | ({"workspace_id": self.kwargs["ws"]} if "ws" in self.kwargs else {})
        self.task = generics.get_object_or_404(self.get_queryset(), **names)


class TaskDetail(OneTask):
    """One task: where it stands, why it waits, what the caller may do."""

    def get(self, request: Request, **names: Any) -> Response:
        """Show the task."""
        return Response(self.get_serializer(self.task).data)
