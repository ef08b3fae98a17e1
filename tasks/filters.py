"""How lists of tasks are narrowed by their address."""

from typing import Any

from django_filters import rest_framework as filters

from pools.models import Pool
from tasks.models import Task
from tasks.states import Status
from workspaces.models import Workspace


def _visible(model: Any) -> Any:
    """Return what gives the rows that a request may name; the schema is made without one."""
    return lambda request: model.objects.visible_to(request.user) if request is not None else model.objects.none()


def _unknown(what: str) -> dict[str, str]:
    return {"invalid_choice": f"There is no such {what}, or none that you may see."}


class TaskFilter(filters.FilterSet):
    """`?status=` (may be repeated), `?stuck=true|false`, `?workspace_id=`, `?pool_id=`."""

    status = filters.MultipleChoiceFilter(choices=Status.choices)
    stuck = filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="narrow_stuck")
    workspace_id = filters.ModelChoiceFilter(
        field_name="workspace",
        queryset=_visible(Workspace),
        label="Of this workspace.",
        error_messages=_unknown("workspace"),
    )
    pool_id = filters.ModelChoiceFilter(
        queryset=_visible(Pool),
        method="narrow_pool",
        label="Of workspaces that name this pool now.",
        error_messages=_unknown("pool"),
    )

    class Meta:
        model = Task
        fields: list[str] = []

    def narrow_stuck(self, rows: Any, name: str, value: str) -> Any:
        """Narrow to tasks that are stuck, or to those that are not."""
        return rows.stuck() if value == "true" else rows.exclude(pk__in=Task.objects.stuck().values("pk"))

    def narrow_pool(self, rows: Any, name: str, value: Pool) -> Any:
        """Narrow to tasks of the workspaces that name this pool now."""
        return rows.for_pool(value.pk)
