"""The log of a task's phase while it grows: the page asks again and again, and gets what is new."""

from django.http import Http404, HttpRequest, HttpResponse

from iacplatform.console import page, tails, tasks
from tasks.states import Phase


@page.page
def tail(request: HttpRequest, ws: str, task_id: int, phase: str) -> HttpResponse:
    """Return the lines after `?offset=` of attempt `?attempt=`, with the offset to go on from; 204: nothing new."""
    if phase not in Phase.values:
        raise Http404
    task = tasks.find(request, ws, task_id)
    seen = {name: _number(request, name) for name in ("attempt", "offset")}
    new = tails.following(task, phase, **seen)
    return page.unchanged() if new is None else page.part(request, "_tail.html", task=task, tail=new)


def _number(request: HttpRequest, name: str) -> int:
    value = request.GET.get(name, "0")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else 0
