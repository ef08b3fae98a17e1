"""The versions of a workspace's state. Their content may hold secrets and is not shown."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from iacplatform.console import page, workspaces
from workspaces.models import StateLock, StateVersion


@page.page
def index(request: HttpRequest, ws: str) -> HttpResponse:
    """Show the versions, and who holds the state now."""
    workspace = workspaces.find(request, ws)
    versions = StateVersion.objects.visible_to(request.user).filter(workspace=workspace).defer("sealed_content")
    held = StateLock.objects.visible_to(request.user).filter(workspace=workspace).first()
    framed: dict[str, Any] = {"place": "workspaces", "tab": "states", "workspace": workspace, "held": held}
    return page.show(request, "states.html", page=page.listed(request, versions), **framed)
