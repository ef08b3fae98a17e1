"""Agents: who is connected, and what they hold."""

from django.http import HttpRequest, HttpResponse

from agents.models import Agent
from iacplatform.console import fleet, page


@page.page
def index(request: HttpRequest) -> HttpResponse:
    """Show the agents, those that were heard of last first."""
    rows = Agent.objects.visible_to(request.user).with_presence().select_related("pool")
    listed = page.listed(request, rows.order_by("-last_seen_at", "name"))
    return page.show(request, "agents.html", place="agents", page=listed, roster=fleet.roster(listed))
