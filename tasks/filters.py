"""How lists of tasks are narrowed by their address."""

from typing import Any

from django_filters import rest_framework as filters

from tasks.models import Task
from tasks.states import Status


class TaskFilter(filters.FilterSet):  # type: ignore[misc]
    """`?status=` (may be repeated), `?stuck=true|false`, `?workspace_id=`, `?pool_id=`."""

    status = filters.MultipleChoiceFilter(choices=Status.choices)
    stuck = filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="narrow_stuck")
    workspace_id = filters.CharFilter(field_name="workspace_id", label="Of this workspace.")
    pool_id = filters.CharFilter(method="narrow_pool", label="Of workspaces that name this pool now.")

    class Meta:
        model = Task
        fields: list[str] = []

    def narrow_stuck(self, rows: Any, name: str, value: str) -> Any:
        """Narrow to tasks that are stuck, or to those that are not."""
        return rows.stuck() if value == "true" else rows.exclude(pk__in=Task.objects.stuck().values("pk"))

    def narrow_pool(self, rows: Any, name: str, value: str) -> Any:
        """Narrow to tasks of the workspaces that name this pool now."""
        return rows.for_pool(value)
