"""A workspace's settings: made and changed by one form."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from iacplatform.base import rights
from iacplatform.base.problems import Problem
from iacplatform.console import page, workspaces
from iacplatform.console.forms import Settings
from workspaces.models import Workspace


@page.page
def create(request: HttpRequest) -> HttpResponse:
    """Show the form of a new workspace, or make it."""
    rights.demand(request.user, "workspaces.add_workspace")
    form = Settings(request.POST or None, user=request.user)
    return _kept(request, form) if request.method == "POST" else _shown(request, form)


@page.page
def change(request: HttpRequest, ws: str) -> HttpResponse:
    """Show the workspace's settings, or change them."""
    workspace = workspaces.find(request, ws)
    form = Settings(request.POST or None, user=request.user, instance=workspace)
    if request.method != "POST":
        return _shown(request, form)
    rights.demand(request.user, "workspaces.change_workspace")
    return _kept(request, form)


def _kept(request: HttpRequest, form: Settings) -> HttpResponse:
    if not form.is_valid():
        return _shown(request, form, status=400)
    try:
        with transaction.atomic():
            workspace = form.keep()
    except page.REFUSALS as error:
        problem = page.as_problem(error)
        return _shown(request, form, status=problem.status, problem=problem)
    sentence = f"The settings of workspace {workspace.name} are stored."
    return page.done(request, sentence, reverse("console:workspace", args=[workspace.pk]))


def _shown(request: HttpRequest, form: Settings, *, status: int = 200, problem: Problem | None = None) -> HttpResponse:
    # A form writes what was typed into its row, also when it is refused; the page's head shows what is stored.
    stored = Workspace.objects.visible_to(request.user).filter(pk=form.instance.pk).first()
    framed = {"place": "workspaces", "tab": "settings", "workspace": stored, "form": form, "problem": problem}
    return page.show(request, "settings.html", status=status, **framed)
