"""Tasks in the admin: to be read, and moved by the verbs that everyone calls."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest

from iacplatform.base import refusals
from iacplatform.base.admin import ReadOnly, ReadOnlyRows
from iacplatform.base.problems import Problem
from tasks import verbs
from tasks.models import Attempt, LateResult, LogChunk, Plan, PlanPart, Task, TaskEvent, TaskInput
from tasks.verbs import VERBS, Verb


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


class Why(ActionForm):
    """What is chosen to be done, and why: some verbs want to know."""

    reason = forms.CharField(label="Why", required=False, max_length=2000)


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


def action(name: str, label: str) -> Any:
    """Return the admin's action that asks for the verb of that name."""

    @admin.action(description=label)
    def act(tasks: "TaskAdmin", request: HttpRequest, queryset: QuerySet[Task]) -> None:
        tasks.each(request, queryset, name)

    act.__name__ = name.replace("-", "_")
    return act


@admin.register(Task)
class TaskAdmin(ReadOnly):
    """Tasks; what moves them are actions. A plan is confirmed where it is read, and none is read here."""

    list_display = ("id", "workspace", "task_type", "status", "stage", "reason_code", "reason_since", "created_at")
    list_filter = ("status", Stuck, "task_type", "lease", "workspace__execution_mode")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name", "workspace__workspace_id", "agent_id")
    inlines = (AttemptRows, EventRows)
    actions: tuple[Any, ...] = (
        action("retry", "Try again, or plan again in a new task"),
        action("discard", "Discard the plan"),
        action("mark-failed", "Mark as failed (say why)"),
        action("unlock", "Unlock the workspace"),
        action("cancel", "Cancel"),
        action("force-cancel", "Cancel without waiting"),
    )
    action_form = Why
    table: Mapping[str, Verb] = VERBS

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the verbs that the caller may ask for on some task."""
        named = super().get_actions(request)
        return {name: each for name, each in named.items() if verbs.may_ask(request.user, name.replace("_", "-"))}

    def each(self, request: HttpRequest, queryset: Any, name: str) -> None:
        """Do the verb to each task by itself, and say of each what came of it."""
        for task in queryset.with_outlook().order_by("id"):
            try:
                done = verbs.ask_by_form(self.table, name, task, request.user, request.POST)
            except (Problem, DatabaseError, ObjectDoesNotExist) as error:
                self._refused(request, task, error)
            else:
                other = "" if done.task.pk == task.pk else f" See task {done.task.pk}."
                self.message_user(request, f"Task {task.pk} of workspace {task.workspace}: {done.sentence}{other}")

    def _refused(self, request: HttpRequest, task: Task, error: Exception) -> None:
        problem = refusals.as_problem(error)
        if problem is None:
            raise error
        self.message_user(request, f"Task {task.pk} of workspace {task.workspace}: {problem.detail}", messages.ERROR)


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


@admin.register(LateResult)
class LateResultAdmin(ReadOnly):
    """What lost agents said of the end of attempts that were over by then."""

    list_display = ["attempt", "outcome", "exit_code", "error_code", "at"]
    list_select_related = ["attempt"]
