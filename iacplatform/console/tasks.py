"""Tasks: the list, and one task with whose turn it is, what it would change, and what happened."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from agents.verbs import VERBS
from iacplatform.base import rights
from iacplatform.base.problems import Problem
from iacplatform.console import face, fleet, gates, history, known, page, reading, tails, workspaces
from iacplatform.console.forms import NewTask
from tasks import actions, creation, verbs
from tasks.filters import TaskFilter
from tasks.models import Task
from tasks.states import Phase


@page.page
def index(request: HttpRequest) -> HttpResponse:
    """Show the tasks, the newest first; narrowed as in the API."""
    rows = fleet.naming_agents(Task.objects.visible_to(request.user).with_outlook()).order_by("-id")
    narrowed = TaskFilter(request.GET, queryset=rows, request=request)
    if not narrowed.form.is_valid():
        raise Http404
    return page.show(request, "tasks.html", place="tasks", page=page.listed(request, narrowed.qs))


@require_POST
@page.page
def create(request: HttpRequest, ws: str) -> HttpResponse:
    """Begin a task with the newest configuration and the values of now."""
    workspace, form = workspaces.find(request, ws), NewTask(request.POST)
    if not form.is_valid():
        return workspaces.shown(request, workspace, new_task=form)
    try:
        rights.demand(request.user, actions.CREATE)
        task = creation.create(workspace, by=request.user, **form.cleaned_data)
    except page.REFUSALS as error:
        return workspaces.shown(request, workspace, problem=page.as_problem(error), new_task=form)
    return page.done(request, f"Task {task.pk} is created.", _address(task))


@page.page
def detail(request: HttpRequest, ws: str, task_id: int) -> HttpResponse:
    """Show the task."""
    return _shown(request, find(request, ws, task_id))


@page.page
def live(request: HttpRequest, ws: str, task_id: int) -> HttpResponse:
    """Return what changed on the page since `?seen=` and `?plan=`; 204: nothing."""
    task = find(request, ws, task_id)
    seen = face.of(task, request.user)
    if seen.version == request.GET.get("seen"):
        return page.unchanged()
    asked = {"gates": gates.of(task), "history": history.newest(task), "known": known.of(task)}
    has_new_plan = seen.plan_key != request.GET.get("plan", "")
    plan = reading.of(task) if has_new_plan else None
    return page.part(request, "_live.html", has_new_plan=has_new_plan, plan=plan, **asked, **vars(seen))


@page.page
def timeline(request: HttpRequest, ws: str, task_id: int) -> HttpResponse:
    """Show everything that happened to the task."""
    return history.report(request, find(request, ws, task_id))


@require_POST
@page.page
def act(request: HttpRequest, ws: str, task_id: int, action: str) -> HttpResponse:
    """Do what a button says; a refusal is said on the task's page, with what was typed."""
    if action not in VERBS:
        raise Http404
    task = find(request, ws, task_id)
    try:
        done = verbs.ask_by_form(VERBS, action, task, request.user, request.POST)
    except page.REFUSALS as error:
        return _shown(request, find(request, ws, task_id), problem=page.as_problem(error), typed=request.POST)
    return page.done(request, done.sentence, _address(done.task))


def find(request: HttpRequest, ws: str, task_id: int) -> Task:
    """Return the task with its outlook, or raise `Http404` where there is none that the person may see."""
    visible = fleet.naming_agents(Task.objects.visible_to(request.user).with_outlook())
    whole = visible.select_related("configuration", "workspace__pool", "workspace__state_lock")
    return get_object_or_404(whole, workspace_id=ws, pk=task_id)


def _shown(request: HttpRequest, task: Task, *, problem: Problem | None = None, typed: Any = None) -> HttpResponse:
    seen = face.of(task, request.user)
    return page.show(
        request,
        "task.html",
        status=problem.status if problem else 200,
        place="tasks",
        problem=problem,
        typed=typed or {},
        plan=reading.of(task),
        gates=gates.of(task),
        history=history.newest(task),
        known=known.of(task),
        tails=[tails.first(task, phase, seen.attempts) for phase in (Phase.PLAN, Phase.APPLY)],
        **vars(seen),
    )


def _address(task: Task) -> str:
    return reverse("console:task", args=[task.workspace_id, task.pk])
