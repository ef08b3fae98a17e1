"""The log of a task's phase while it grows: the page asks again and again, and gets what is new."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from iacplatform.console import page, tails
from tasks.models import Task
from tasks.states import Phase


@page.page
def tail(request: HttpRequest, ws: str, task_id: int, phase: str) -> HttpResponse:
    """Return the lines after `?offset=` of attempt `?attempt=`, with the offset to go on from; 204: nothing new."""
    if phase not in Phase.values:
        raise Http404
    # Asked twice a second by each page that follows: without the outlook, which is most of what finding a task takes.
    task = get_object_or_404(Task.objects.visible_to(request.user), workspace_id=ws, pk=task_id)
    seen = {name: _number(request, name) for name in ("attempt", "offset")}
    new = tails.following(task, phase, **seen)
    return page.unchanged() if new is None else page.part(request, "_tail.html", task=task, tail=new)


def _number(request: HttpRequest, name: str) -> int:
    value = request.GET.get(name, "0")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0
