"""Tasks in the admin: to be read, and moved by the verbs that everyone calls."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest

from iacplatform.base import refusals, rights
from iacplatform.base.admin import ReadOnly, ReadOnlyRows
from iacplatform.base.problems import Problem
from tasks import actions, cancellation, confirmation, recovery
from tasks.models import Attempt, LogChunk, Plan, PlanPart, Task, TaskEvent, TaskInput

Verb = Callable[[Task], Any]


class Stuck(admin.SimpleListFilter):
    """Narrows to tasks that need help or should have moved by now."""

    title = "stuck"
    parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the only choice."""
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the narrowed rows."""
        return queryset.stuck() if self.value() == "yes" else queryset


class EventRows(ReadOnlyRows):
    """The task's moves."""

    model = TaskEvent
    fields = ("at", "event", "before", "after", "reason", "actor", "epoch")
    readonly_fields = fields


class AttemptRows(ReadOnlyRows):
    """The task's attempts."""

    model = Attempt
    fields = ("epoch", "phase", "number", "agent_name", "slot", "accepted_at", "permitted_at", "ended_at", "outcome")
    readonly_fields = fields


@admin.register(Task)
class TaskAdmin(ReadOnly):
    """Tasks; what moves them are actions."""

    list_display = ("id", "workspace", "task_type", "status", "stage", "reason_code", "reason_since", "created_at")
    list_filter = ("status", Stuck, "task_type", "lease", "workspace__execution_mode")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name", "workspace__workspace_id", "agent_id")
    inlines = (AttemptRows, EventRows)
    actions = ("cancel", "retry", "discard", "mark_failed")

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        """Cancel each."""
        self._each(request, queryset, "cancel", lambda task: cancellation.cancel(task, by=request.user))

    @admin.action(description="Retry", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        """Try each again."""
        self._each(request, queryset, "retry", lambda task: recovery.retry(task, by=request.user))

    @admin.action(description="Discard the plan", permissions=["discard"])
    def discard(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        """Discard each plan."""
        self._each(request, queryset, "discard", lambda task: confirmation.discard(task, by=request.user))

    @admin.action(description="Mark as failed", permissions=["mark_failed"])
    def mark_failed(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        """Say of each that its lost apply is over."""
        why = "Marked as failed in the admin."
        self._each(
            request, queryset, "mark-failed", lambda task: recovery.mark_failed(task, by=request.user, reason=why)
        )

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Return whether the caller may cancel."""
        return rights.may(request.user, actions.CHANGE)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Return whether the caller may retry."""
        return rights.may(request.user, actions.CREATE)

    def has_discard_permission(self, request: HttpRequest) -> bool:
        """Return whether the caller may discard plans."""
        return rights.may(request.user, actions.CONFIRM)

    def has_mark_failed_permission(self, request: HttpRequest) -> bool:
        """Return whether the caller may recover lost tasks."""
        return rights.may(request.user, actions.RECOVER)

    def _each(self, request: HttpRequest, queryset: QuerySet[Task], name: str, verb: Verb) -> None:
        """Do the verb to each task by itself, and say of each what happened."""
        for task in queryset.select_related("workspace").order_by("id"):
            try:
                actions.demand(task, request.user, name)
                tried = verb(task)
            except (Problem, DatabaseError) as error:
                self._refused(request, task, error)
            else:
                self._done(request, tried or task)

    def _done(self, request: HttpRequest, task: Task) -> None:
        now = Task.objects.select_related("workspace").get(pk=task.pk)
        self.message_user(request, f"Task {now.pk} of workspace {now.workspace} is now {now.status}.")

    def _refused(self, request: HttpRequest, task: Task, error: Exception) -> None:
        problem = refusals.as_problem(error)
        if problem is None:
            raise error
        self.message_user(request, f"Task {task.pk}: {problem.detail}", messages.ERROR)


@admin.register(TaskInput)
class TaskInputAdmin(ReadOnly):
    """That a task has frozen values; never which."""

    list_display = ("task",)
    fields = ("task",)


@admin.register(TaskEvent)
class TaskEventAdmin(ReadOnly):
    """Every move of every task."""

    list_display = ("id", "task", "at", "event", "before", "after", "actor", "reason")
    list_filter = ("event", "after")
    search_fields = ("=task__id", "actor")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    """Tries at phases."""

    list_display = ("id", "task", "epoch", "phase", "number", "agent_name", "offered_at", "ended_at", "outcome")
    list_filter = ("phase", "outcome")
    search_fields = ("=task__id", "agent_name")


@admin.register(Plan)
class PlanAdmin(ReadOnly):
    """What plans are bound to."""

    list_display = ("attempt", "task", "digest", "engine", "version", "serial", "has_changes", "created_at")
    list_filter = ("engine", "has_changes")
    search_fields = ("=task__id", "digest")


@admin.register(PlanPart)
class PlanPartAdmin(ReadOnly):
    """That a part is stored, and its digest; its content is for agents."""

    list_display = ("attempt", "part", "digest", "size")
    list_filter = ("part",)


@admin.register(LogChunk)
class LogChunkAdmin(ReadOnly):
    """Which pieces of logs are stored; the API and the pages show what they say."""

    list_display = ("attempt", "offset")
    search_fields = ("=attempt__id",)
    list_select_related = ("attempt",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows without their bytes."""
        return super().get_queryset(request).defer("data")
