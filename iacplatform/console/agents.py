"""Agents: who is connected, and what they hold."""

from django.http import HttpRequest, HttpResponse

from agents.models import Agent
from iacplatform.console import fleet, page


@page.page
def index(request: HttpRequest) -> HttpResponse:
    """Show the agents, those that were heard of last first."""
    rows = Agent.objects.visible_to(request.user).select_related("pool").order_by("-last_seen_at", "name")
    listed = page.listed(request, rows)
    return page.show(request, "agents.html", place="agents", page=listed, roster=fleet.roster(listed))
