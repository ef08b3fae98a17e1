"""The frame of every page: who may open it, what the bar shows, how a refusal is said."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import EmptyPage, Page
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from iacplatform.base import clock, refusals
from iacplatform.base.encryption import Unreadable
from iacplatform.base.pages import BoundedPaginator
from iacplatform.base.problems import Problem
from iacplatform.console import fleet, watch
from tasks.models import Task

ROWS = 50

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
REFUSALS = (Problem, DatabaseError, ObjectDoesNotExist, Unreadable)
"""What a verb may raise and a page says in words."""


def page(view: View[P]) -> View[P]:
    """Open the view to people who are logged in, and show a refusal that it does not show itself as a page."""

    @wraps(view)
    def answered(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except REFUSALS as error:
            return refused(request, error)

    return login_required(answered)


def show(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return the page, with the time that its times are relative to, how much needs somebody, and any silence."""
    framed = {"now": clock.now(), **context}
    # What the page found out for itself is not asked again.
    if "silence" not in framed:
        framed["silence"] = watch.silence()
    if "attention" not in framed:
        framed["attention"] = attention(request.user)
    return render(request, f"console/{template}", framed, status=status)


def part(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Return a part of a page alone."""
    return render(request, f"console/{template}", {"now": clock.now(), **context})


def unchanged() -> HttpResponse:
    """Return the answer that lets a part of a page stay as it is."""
    return HttpResponse(status=204)


def refused(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return a page that says a refusal in words; raise what is none."""
    return show(request, "problem.html", status=as_problem(error).status, problem=as_problem(error))


def as_problem(error: Exception) -> Problem:
    """Return what the exception means in words, or raise it: then it is a fault of ours."""
    known = refusals.as_problem(error)
    if known is None:
        raise error
    return known


def listed(
    request: HttpRequest, rows: Any, *, size: int = ROWS, paginator: type[BoundedPaginator] = BoundedPaginator
) -> Page[Any]:
    """Return the page of `rows` that `?page=` asks for. Raises `Http404` where nothing is there."""
    try:
        return paginator(rows, size).page(request.GET.get("page", 1))
    except EmptyPage as error:
        raise Http404 from error


def attention(user: Any) -> int:
    """Return how many tasks and pools need somebody; it stops to count tasks at 100."""
    return int(Task.objects.visible_to(user).needing_somebody()[:100].count()) + len(fleet.held_up(user))


def done(request: HttpRequest, sentence: str, to: str) -> HttpResponse:
    """Return the way to the page that shows what was done; it begins with a sentence about it."""
    messages.success(request, sentence)
    return HttpResponseRedirect(to, status=303)
