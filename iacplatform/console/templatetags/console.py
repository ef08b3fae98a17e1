"""What templates cannot say by themselves: times, statuses and links to a page of a list."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from iacplatform.base import clock
from iacplatform.console import times
from tasks import states
from tasks.states import Status

register = template.Library()

LONGEST_VALUE = 4000
"""Characters of an output that a page shows."""

_SHAPES = {
    Status.WAITING: "ring",
    Status.PENDING: "ring",
    Status.CONFIRMED: "ring",
    Status.RUNNING: "disc",
    Status.APPLY_PENDING: "diamond",
    Status.NEEDS_ATTENTION: "triangle",
    Status.FAILED: "triangle",
    Status.SUCCESS: "tick",
    Status.APPLIED: "tick",
}


@register.simple_tag(takes_context=True)
def when(context: template.Context, moment: datetime | None) -> str | SafeString:
    """Return the time relative to the page's `now`, with the exact one on hover; nothing for None."""
    return _timed(context, moment, times.relative)


@register.simple_tag(takes_context=True)
def age(context: template.Context, moment: datetime | None) -> str | SafeString:
    """Return how long ago the time was, to be read after "for", with the exact one on hover; nothing for None."""
    return _timed(context, moment, times.age)


def _timed(
    context: template.Context, moment: datetime | None, said: Callable[[datetime, datetime], str]
) -> str | SafeString:
    if moment is None:
        return ""
    words = said(moment, context.get("now") or clock.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), times.exact(moment), words)


@register.filter
def exact(moment: datetime) -> str:
    """Return the moment to the second, in UTC."""
    return times.exact(moment)


@register.filter
def span(seconds: float) -> str:
    """Return a length of time in words."""
    return times.span(seconds)


@register.filter
def value_text(value: Any) -> str:
    """Return the value of an output as people read it: a text as it is, all else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… (the JSON has all of it)"


@register.inclusion_tag("console/_status.html")
def status(task: Any) -> dict[str, Any]:
    """Return the task's status as a word and a shape; while it runs, its stage is the word."""
    word = task.stage or task.get_status_display() if task.status == Status.RUNNING else task.get_status_display()
    return {"is": task.status, "word": word.lower(), "shape": _SHAPES.get(task.status, "dash")}


@register.inclusion_tag("console/_status.html")
def shaped(is_: str, word: str, shape: str) -> dict[str, str]:
    """Return a word with a shape, in the colour of the status that `is_` names."""
    return {"is": is_, "word": word.lower(), "shape": shape}


@register.filter
def status_word(value: str) -> str:
    """Return a status's name for people."""
    return states.Status(value).label.lower()


@register.filter
def event_word(value: str) -> str:
    """Return the name of what happened to a task for people."""
    return value.replace("_", " ")


@register.filter
def task_word(value: str) -> str:
    """Return a task type's name for people."""
    return value.replace("_", " ")


@register.simple_tag(takes_context=True)
def page_link(context: template.Context, number: int) -> str:
    """Return the query of this same list at another page."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    query["page"] = str(number)
    return "?" + query.urlencode()
