"""Agents in the admin: to be read, and drained; and the verb for tasks that asks who is alive."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from agents import slots
from agents.models import Agent, Silence
from agents.verbs import VERBS
from iacplatform.base import rights
from iacplatform.base.admin import ReadOnly
from tasks.admin import TaskAdmin, action
from tasks.models import Task


class Connected(admin.SimpleListFilter):
    """Narrows to agents with a live session."""

    title = "connected"
    parameter_name = "connected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the only choice."""
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the narrowed rows."""
        return queryset.connected() if self.value() == "yes" else queryset


@admin.register(Silence)
class SilenceAdmin(ReadOnly):
    """When agents were not heard."""

    list_display = ("agent", "silent_from", "heard_at", "cause")
    list_filter = ("cause",)
    list_select_related = ("agent",)
    search_fields = ("agent__name", "agent__agent_id")


@admin.register(Agent)
class AgentAdmin(ReadOnly):
    """Agents that ever connected."""

    list_display = ("name", "pool", "pod_name", "capacity", "draining", "connected_at", "last_seen_at", "lease_until")
    list_filter = (Connected, "pool", "draining")
    list_select_related = ("pool",)
    search_fields = ("name", "agent_id", "pod_name")
    exclude = ("session",)
    actions = ("drain",)

    @admin.action(description="Drain", permissions=["drain"])
    def drain(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        """Let each take nothing new, finish what it runs, and leave."""
        for agent in queryset:
            slots.drain(agent)
            self.message_user(request, f"Agent {agent.name} takes nothing new, finishes what it runs, and leaves.")

    def has_drain_permission(self, request: HttpRequest) -> bool:
        """Return whether the caller may drain agents."""
        return rights.may(request.user, rights.name("change", Agent))


class RecoverableTaskAdmin(TaskAdmin):
    """Tasks, with the verb that only this layer knows."""

    actions = (*TaskAdmin.actions, action("release-lock", "Release the state lock (say why)"))
    table = VERBS


admin.site.unregister(Task)
admin.site.register(Task, RecoverableTaskAdmin)
