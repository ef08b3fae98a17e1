"""What lists of workspaces can be narrowed by."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from workspaces.models import Engine, ExecutionMode, Workspace


class WorkspaceFilter(filters.FilterSet):
    """`?name=`, `?search=` in names, `?pool_id=`, `?execution_mode=`, `?engine=`, `?is_locked=`."""

    name = filters.CharFilter()
    search = filters.CharFilter(field_name="name", lookup_expr="icontains")
    pool_id = filters.CharFilter()
    execution_mode = filters.ChoiceFilter(choices=ExecutionMode.choices)
    engine = filters.ChoiceFilter(choices=Engine.choices)
    is_locked = filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="locked")

    class Meta:
        model = Workspace
        fields: list[str] = []

    def locked(self, rows: QuerySet[Workspace], name: str, value: str) -> QuerySet[Workspace]:
        """Narrow to workspaces that somebody holds, or that nobody does."""
        return rows.exclude(locked_by="") if value == "true" else rows.filter(locked_by="")
