"""Workspaces: the list, and one workspace with its tasks."""

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from iacplatform.base import actors, rights
from iacplatform.base.problems import Problem
from iacplatform.console import page
from iacplatform.console.forms import Lock, NewTask
from tasks.models import Task
from workspaces.models import Configuration, StateVersion, Workspace


@page.page
def index(request: HttpRequest) -> HttpResponse:
    """Return the list, each workspace with its newest task; `?q=` narrows it by name."""
    sought = request.GET.get("q", "").strip()
    newest = Task.objects.visible_to(request.user).filter(workspace=OuterRef("pk")).order_by("-id")
    rows = Workspace.objects.visible_to(request.user).select_related("pool").filter(name__icontains=sought)
    rows = rows.annotate(newest_task_id=Subquery(newest.values("pk")[:1]))
    listed = page.listed(request, rows)
    tasks = Task.objects.in_bulk([row.newest_task_id for row in listed if row.newest_task_id])
    shown = [(row, tasks.get(row.newest_task_id)) for row in listed]
    may_add = rights.may(request.user, "workspaces.add_workspace")
    return page.show(
        request, "workspaces.html", place="workspaces", page=listed, rows=shown, sought=sought, may_add=may_add
    )


@page.page
def overview(request: HttpRequest, ws: str) -> HttpResponse:
    """Return the workspace with its tasks."""
    return shown(request, find(request, ws))


def find(request: HttpRequest, ws: str) -> Workspace:
    """Return the workspace, or raise `Http404` where there is none that the person may see."""
    visible = Workspace.objects.visible_to(request.user).select_related("pool")
    return get_object_or_404(visible, pk=ws)


def shown(
    request: HttpRequest,
    workspace: Workspace,
    *,
    problem: Problem | None = None,
    new_task: NewTask | None = None,
    lock: Lock | None = None,
) -> HttpResponse:
    """Return the workspace's page; with a problem, and with the forms as they were filled in."""
    tasks = Task.objects.visible_to(request.user).filter(workspace=workspace).with_outlook()
    forms = {"new_task": new_task or NewTask(), "lock": lock or Lock()}
    return page.show(
        request,
        "workspace.html",
        status=problem.status if problem else 400 if any(form.errors for form in forms.values()) else 200,
        place="workspaces",
        tab="overview",
        workspace=workspace,
        holding_task=actors.task_id(workspace.locked_by),
        problem=problem,
        page=page.listed(request, tasks.order_by("-id"), size=20),
        configuration=Configuration.objects.visible_to(request.user).newest_of(workspace),
        state=StateVersion.objects.visible_to(request.user).defer("sealed_content").newest_of(workspace.pk),
        may=_rights(request),
        **forms,
    )


def _rights(request: HttpRequest) -> dict[str, bool]:
    wanted = {"change": "workspaces.change_workspace", "run": "tasks.add_task"}
    return {name: rights.may(request.user, permission) for name, permission in wanted.items()}
