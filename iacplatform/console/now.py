"""The first page: what needs somebody now, then what runs, then what happened."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from iacplatform.console import fleet, page, turns, watch
from pools.models import Pool
from tasks import actions
from tasks.models import Task, TaskEvent
from tasks.states import Status

MOST = 20
"""Rows in each card; the lists of tasks show the rest."""
EVENTS = 12


@page.page
def now(request: HttpRequest) -> HttpResponse:
    """Return the page."""
    tasks: Any = Task.objects.visible_to(request.user).with_outlook()
    events = TaskEvent.objects.visible_to(request.user).select_related("task__workspace").order_by("-id")
    somebody = tasks.needing_somebody().select_related("workspace__state_lock").order_by("-is_stuck", "id")
    needing, held_up = list(somebody[: MOST + 1]), fleet.held_up(request.user)
    return page.show(
        request,
        "now.html",
        broken=watch.broken(request.user),
        failing=watch.failing(),
        shown=min(len(needing), MOST) + len(held_up),
        needing=[(task, turns.sentence(task, actions.open_to(task, request.user))) for task in needing[:MOST]],
        held_up=held_up,
        attention=len(needing) + len(held_up) if len(needing) <= MOST else page.attention(request.user),
        running=fleet.naming_agents(tasks.live().filter(status=Status.RUNNING)).order_by("id")[:MOST],
        fleet=fleet.glances(Pool.objects.visible_to(request.user).select_related("status")[:MOST], request.user),
        events=events[:EVENTS],
    )
