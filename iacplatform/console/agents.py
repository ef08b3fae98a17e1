"""Agents: who is connected, what they hold, and the one thing that a person does to them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from agents import slots
from agents.models import Agent
from iacplatform.base import rights
from iacplatform.console import fleet, page

CHANGE = "agents.change_agent"


@page.page
def index(request: HttpRequest) -> HttpResponse:
    """Show the agents, those that were heard of last first."""
    rows = Agent.objects.visible_to(request.user).with_presence().select_related("pool")
    listed = page.listed(request, rows.order_by("-last_seen_at", "name"))
    framed: dict[str, Any] = {"roster": fleet.roster(listed), "may_drain": rights.may(request.user, CHANGE)}
    return page.show(request, "agents.html", place="agents", page=listed, **framed)


@require_POST
@page.page
def drain(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Let the agent take nothing new, finish what it runs, and leave."""
    agent = get_object_or_404(Agent.objects.visible_to(request.user), pk=agent_id)
    rights.demand(request.user, CHANGE)
    slots.drain(agent)
    sentence = f"Agent {agent.name} takes nothing new. It leaves when what it runs has ended."
    return page.done(request, sentence, reverse("console:agents"))
