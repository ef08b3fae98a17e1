"""What happened to a task: the newest of it on its page, the whole of it as a report."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from agents import timeline
from agents.timeline_pages import TimelinePaginator
from iacplatform.console import page
from tasks.models import Task
from tasks.timeline import Entry

MOST = 40
"""Entries on the task's page."""
ROWS = 200
"""Entries on a page of the report."""


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest entries, the newest of them first; `is_all`: whether there are no others."""

    entries: list[Entry]
    is_all: bool


def newest(task: Task) -> Newest:
    """Return what the task's page shows."""
    found = timeline.whole(task).newest(MOST + 1)
    return Newest(entries=found[::-1][:MOST], is_all=len(found) <= MOST)


def mark(task: Task) -> str:
    """Return a text that is another one after each new entry."""
    return timeline.whole(task).mark()


def report(request: HttpRequest, task: Task) -> HttpResponse:
    """Return the whole of it, the oldest first, in pages."""
    entries = page.listed(request, timeline.whole(task), size=ROWS, paginator=TimelinePaginator)
    return page.show(request, "timeline.html", place="tasks", task=task, page=entries)
