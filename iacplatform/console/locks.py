"""Holding a workspace and letting it go."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from iacplatform.base import rights
from iacplatform.console import page, workspaces
from iacplatform.console.forms import Lock
from workspaces import locks

CHANGE = "workspaces.change_workspace"


@require_POST
@page.page
def lock(request: HttpRequest, ws: str) -> HttpResponse:
    """Lock the workspace, with a reason that everybody who waits will read."""
    workspace, form = workspaces.find(request, ws), Lock(request.POST)
    if not form.is_valid():
        return workspaces.shown(request, workspace, lock=form)
    try:
        rights.demand(request.user, CHANGE)
        locks.lock(workspace, by=request.user, reason=form.cleaned_data["reason"])
    except page.REFUSALS as error:
        return workspaces.shown(request, workspace, problem=page.as_problem(error), lock=form)
    sentence = f"Workspace {workspace.name} is locked: nothing that changes things starts."
    return page.done(request, sentence, reverse("console:workspace", args=[ws]))


@require_POST
@page.page
def unlock(request: HttpRequest, ws: str) -> HttpResponse:
    """Unlock the workspace."""
    workspace = workspaces.find(request, ws)
    try:
        rights.demand(request.user, CHANGE)
        locks.unlock(workspace)
    except page.REFUSALS as error:
        return workspaces.shown(request, workspace, problem=page.as_problem(error))
    return page.done(request, f"Workspace {workspace.name} is unlocked.", reverse("console:workspace", args=[ws]))
