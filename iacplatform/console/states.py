"""The versions of a workspace's state: what each holds, what changed, and two ways to a new one. No secret is shown."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from iacplatform.base import rights
from iacplatform.base.problems import Invalid, Problem
from iacplatform.console import page, state_changes, workspaces
from tasks import removal
from workspaces import large_states, state_api, state_contents, state_documents, states
from workspaces.holders import Holder
from workspaces.models import StateLock, StateVersion, Workspace

ADD = "workspaces.add_stateversion"

MOST_BYTES = 8 * 1024 * 1024
"""Of a state whose contents a page shows: reading a larger one would hold up whoever else asks this process."""


@page.page
def index(request: HttpRequest, ws: str) -> HttpResponse:
    """Show the versions and who holds the state now, or add a version from a file."""
    workspace = workspaces.find(request, ws)
    if request.method != "POST":
        return _listed(request, workspace)
    try:
        stored = states.upload(workspace.pk, _uploaded(request), _person(request, workspace))
    except page.REFUSALS as error:
        return _listed(request, workspace, problem=page.as_problem(error))
    return _done(request, stored, f"Serial {stored.serial} is the state now. Plans that wait for a yes are stale.")


@page.page
def detail(request: HttpRequest, ws: str, serial: int) -> HttpResponse:
    """Show what a version holds and what changed since the one before."""
    workspace = workspaces.find(request, ws)
    return _shown(request, workspace, _find(request, workspace, serial))


@require_POST
@page.page
def roll_back(request: HttpRequest, ws: str, serial: int) -> HttpResponse:
    """Add a version with the content of this one, or say on its page why not."""
    workspace = workspaces.find(request, ws)
    version = _find(request, workspace, serial)
    try:
        stored = states.roll_back(version, _person(request, workspace))
    except page.REFUSALS as error:
        return _shown(request, workspace, version, problem=page.as_problem(error))
    return _done(request, stored, f"Serial {stored.serial} is the state now, with what serial {serial} held.")


def _person(request: HttpRequest, workspace: Workspace) -> Holder:
    return state_api.person(request.user, workspace.pk, fence=lambda: removal.demand_idle(workspace.pk))


def _uploaded(request: HttpRequest) -> bytes:
    file = request.FILES.get("state")
    if file is None:
        raise Invalid("Choose a file first: a state, as `terraform state pull` writes it.")
    return bytes(file.read())


def _find(request: HttpRequest, workspace: Workspace, serial: int) -> StateVersion:
    visible = StateVersion.objects.visible_to(request.user).filter(workspace=workspace)
    return get_object_or_404(visible.defer("sealed_content"), serial=serial)


def _done(request: HttpRequest, stored: StateVersion, sentence: str) -> HttpResponse:
    return page.done(request, sentence, reverse("console:state", args=[stored.workspace_id, stored.serial]))


def _listed(request: HttpRequest, workspace: Workspace, *, problem: Problem | None = None) -> HttpResponse:
    visible = StateVersion.objects.visible_to(request.user).filter(workspace=workspace)
    held = StateLock.objects.visible_to(request.user).filter(workspace=workspace).first()
    framed = {**_frame(request, workspace, problem), "page": page.listed(request, visible.defer("sealed_content"))}
    return page.show(request, "states.html", held=held, **framed)


def _shown(
    request: HttpRequest, workspace: Workspace, version: StateVersion, *, problem: Problem | None = None
) -> HttpResponse:
    versions = StateVersion.objects.visible_to(request.user).defer("sealed_content")
    before, newest = versions.before(version), versions.newest_of(workspace.pk)
    sizes = [each.size for each in (version, before) if each]
    is_large = max(sizes) > MOST_BYTES
    with large_states.turn(0 if is_large else sum(sizes)):
        return page.show(
            request,
            "state.html",
            version=version,
            before=before,
            is_newest=newest is not None and newest.pk == version.pk,
            is_large=is_large,
            **({} if is_large else _contents(version, before)),
            **_frame(request, workspace, problem),
        )


def _contents(version: StateVersion, before: StateVersion | None) -> dict[str, Any]:
    state = _parsed(version)
    earlier = _parsed(before) if before else state_contents.NOTHING
    return {
        "changed": state_changes.of(state_contents.difference(earlier, state)),
        "outputs": state_contents.outputs(state),
        "resources": state_contents.resources(state),
    }


def _parsed(version: StateVersion) -> state_contents.State:
    return state_documents.parse(version.content())


def _frame(request: HttpRequest, workspace: Workspace, problem: Problem | None) -> dict[str, Any]:
    framed = {"place": "workspaces", "tab": "states", "workspace": workspace, "problem": problem}
    return {**framed, "status": problem.status if problem else 200, "may_add": rights.may(request.user, ADD)}
