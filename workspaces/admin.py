from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest

from iacplatform.base import refusals, rights
from iacplatform.base.admin import KnownOnly, ReadOnly
from iacplatform.base.generic import ModelAdmin
from iacplatform.base.problems import Problem
from workspaces import edits, locks
from workspaces.forms import SealedVariableForm
from workspaces.models import (
    Configuration,
    ConfigurationPart,
    KeptState,
    Manifest,
    StateLock,
    StateVersion,
    Variable,
    Workspace,
)


@admin.register(Workspace)
class WorkspaceAdmin(KnownOnly):
    """A workspace is deleted through the console or the API: what goes with it, only the layers above know."""

    list_display = ["name", "execution_mode", "pool", "engine", "auto_apply", "locked_by"]
    list_filter = ["execution_mode", "engine", "pool"]
    list_select_related = ["pool"]
    search_fields = ["name", "workspace_id"]
    readonly_fields = ["workspace_id", "locked_by", "lock_reason", "locked_at", "created_at"]
    actions = ["unlock"]

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        """Return False."""
        return False

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        """Save as every entrance does, so that a changed pool is heard of."""
        edits.save(obj, form.changed_data)

    @admin.action(description="Unlock the chosen workspaces", permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[Workspace]) -> None:
        """Let their tasks go on; what cannot be unlocked is told."""
        for workspace in queryset:
            try:
                locks.unlock(workspace)
            except (Problem, DatabaseError, ObjectDoesNotExist) as error:
                self._refused(request, workspace, error)
            else:
                self.message_user(request, f"Workspace {workspace.name} is unlocked.")

    def _refused(self, request: HttpRequest, workspace: Workspace, error: Exception) -> None:
        problem = refusals.as_problem(error)
        if problem is None:
            raise error
        self.message_user(request, f"Workspace {workspace.name}: {problem.detail}", messages.ERROR)


@admin.register(Variable)
class VariableAdmin(ModelAdmin):
    form = SealedVariableForm
    list_display = ["key", "workspace", "category", "hcl", "sensitive", "updated_at"]
    list_filter = ["category", "sensitive"]
    list_select_related = ["workspace"]
    search_fields = ["key", "workspace__name"]
    fields = ["workspace", "key", "value", "category", "hcl", "sensitive"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return the workspace for a variable that exists: its value is sealed for that one."""
        return ["workspace"] if obj else []


@admin.register(Configuration)
class ConfigurationAdmin(ReadOnly):
    list_display = ["workspace", "number", "kind", "size", "digest", "created_by", "created_at"]
    list_select_related = ["workspace", "created_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the versions without their files, which a list does not show."""
        return super().get_queryset(request).defer("files")


@admin.register(ConfigurationPart)
class ConfigurationPartAdmin(ReadOnly):
    """Which pieces of archives are stored; the console and the API give a version whole."""

    list_display = ["configuration", "number"]
    fields = ["configuration", "number"]
    list_select_related = ["configuration__workspace"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows without their bytes."""
        return super().get_queryset(request).defer("content")


@admin.register(Manifest)
class ManifestAdmin(ReadOnly):
    """What agents have found in archives."""

    list_display = ["configuration", "created_at"]
    list_select_related = ["configuration__workspace"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows without their entries, which a list does not show."""
        return super().get_queryset(request).defer("entries")


@admin.register(StateVersion)
class StateVersionAdmin(ReadOnly):
    list_display = ["workspace", "serial", "resources", "size", "created_by", "created_at"]
    list_select_related = ["workspace"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the versions without their contents, which nobody sees here."""
        return super().get_queryset(request).defer("sealed_content")


@admin.register(KeptState)
class KeptStateAdmin(ReadOnly):
    """States that came too late; who may see versions of states sees them."""

    list_display = ["workspace", "task_id", "serial", "resources", "size", "created_by", "created_at"]
    list_select_related = ["workspace"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the caller may see, without their contents."""
        return KeptState.objects.visible_to(request.user).defer("sealed_content")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the caller may see versions of states."""
        return rights.may(request.user, rights.name("view", StateVersion))


@admin.register(StateLock)
class StateLockAdmin(ReadOnly):
    list_display = ["workspace", "holder", "phase", "agent_id", "created_at"]
    list_select_related = ["workspace"]
