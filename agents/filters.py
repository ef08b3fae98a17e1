"""How lists of agents are narrowed by their address."""

from typing import Any

from django_filters import rest_framework as filters

from agents.models import Agent


class AgentFilter(filters.FilterSet):
    """`?pool_id=`, `?connected=true|false`."""

    pool_id = filters.CharFilter()
    connected = filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="narrow_connected")

    class Meta:
        model = Agent
        fields: list[str] = []

    def narrow_connected(self, rows: Any, name: str, value: str) -> Any:
        """Narrow to agents with a live session, or to those without."""
        return rows.filter(is_connected=value == "true")
