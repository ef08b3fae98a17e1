"""A workspace's variables. A sensitive value is taken and never shown."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from iacplatform.base import rights
from iacplatform.base.problems import Problem
from iacplatform.console import page, workspaces
from iacplatform.console.forms import VariableForm
from workspaces.models import Variable, Workspace


@page.page
def index(request: HttpRequest, ws: str) -> HttpResponse:
    """Show the variables and the form of a new one, or add it."""
    workspace = workspaces.find(request, ws)
    form = VariableForm(request.POST or None, instance=Variable(workspace=workspace))
    if request.method != "POST":
        return _shown(request, workspace, form)
    rights.demand(request.user, "workspaces.add_variable")
    return _kept(request, workspace, form, "added")


@page.page
@transaction.atomic
def change(request: HttpRequest, ws: str, variable_id: int) -> HttpResponse:
    """Show one variable's form, or change it: of two changes at once the later one sees the other."""
    workspace = workspaces.find(request, ws)
    form = VariableForm(request.POST or None, instance=_find(request, workspace, variable_id))
    if request.method != "POST":
        return _shown(request, workspace, form)
    rights.demand(request.user, "workspaces.change_variable")
    return _kept(request, workspace, form, "changed")


@require_POST
@page.page
@transaction.atomic
def delete(request: HttpRequest, ws: str, variable_id: int) -> HttpResponse:
    """Delete the variable; tasks that exist keep the value they were created with."""
    rights.demand(request.user, "workspaces.delete_variable")
    variable = _find(request, workspaces.find(request, ws), variable_id)
    variable.delete()
    return page.done(request, f"Variable {variable.key} is deleted.", reverse("console:variables", args=[ws]))


def _find(request: HttpRequest, workspace: Workspace, variable_id: int) -> Variable:
    visible = Variable.objects.visible_to(request.user).filter(workspace=workspace)
    return get_object_or_404(visible.select_for_update(of=("self",)), pk=variable_id)


def _kept(request: HttpRequest, workspace: Workspace, form: VariableForm, done: str) -> HttpResponse:
    if not form.is_valid():
        return _shown(request, workspace, form, status=400)
    try:
        with transaction.atomic():
            form.save()
    except page.REFUSALS as error:
        problem = page.as_problem(error)
        return _shown(request, workspace, form, status=problem.status, problem=problem)
    sentence = f"Variable {form.instance.key} is {done}. New tasks take it."
    return page.done(request, sentence, reverse("console:variables", args=[workspace.pk]))


def _shown(
    request: HttpRequest, workspace: Workspace, form: VariableForm, *, status: int = 200, problem: Problem | None = None
) -> HttpResponse:
    variables = Variable.objects.visible_to(request.user).filter(workspace=workspace)
    framed = {"place": "workspaces", "tab": "variables", "workspace": workspace, "form": form, "problem": problem}
    may = {verb: rights.may(request.user, f"workspaces.{verb}_variable") for verb in ("add", "change", "delete")}
    listed = page.listed(request, variables)
    return page.show(request, "variables.html", status=status, page=listed, may=may, **framed)
