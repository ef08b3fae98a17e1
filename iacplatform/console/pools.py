"""Pools: like agents that grow and shrink together. How each stands, and why."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from agents import removal
from iacplatform.base import clock, rights
from iacplatform.base.problems import Invalid, Problem
from iacplatform.console import fleet, page, pool_face
from pools.models import Pool, PoolToken

MOST = 100
"""Tokens on a pool's page."""
SPANS = {"": "until the window ends", "30": "for 30 minutes", "60": "for an hour", "240": "for four hours"}
"""For how many minutes a pool may be unfrozen."""


@page.page
def index(request: HttpRequest) -> HttpResponse:
    """Show the pools."""
    listed = page.listed(request, Pool.objects.visible_to(request.user).select_related("status"))
    may = {verb: rights.may(request.user, f"pools.{verb}") for verb in ("add_pool", "view_k8sconfig")}
    glances = fleet.glances(listed, request.user)
    return page.show(request, "pools.html", place="pools", page=listed, fleet=glances, may=may)


@page.page
def detail(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Show one pool with its pods, agents and tokens."""
    return shown(request, find(request, pool_id))


@require_GET
@page.page
def live(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Return the part of the page that changes by itself; 204 where it has not since `?seen=`."""
    face = pool_face.of(find(request, pool_id), request.user)
    if face.version == request.GET.get("seen"):
        return page.unchanged()
    return page.part(request, "_pool.html", may=_may(request), spans=SPANS, **vars(face))


@require_POST
@page.page
def unfreeze(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Let new work start although a freeze window is open."""
    pool = find(request, pool_id)
    rights.demand(request.user, "pools.change_pool")
    minutes = request.POST.get("minutes", "")
    if minutes not in SPANS:
        raise Invalid("Choose one of the spans that are offered.")
    until = pool.unfreeze(_until(pool, minutes))
    sentence = f"Pool {pool.name} is unfrozen until {until:%Y-%m-%d %H:%M} UTC: new work starts."
    return page.done(request, sentence, reverse("console:pool", args=[pool_id]))


def _until(pool: Pool, minutes: str) -> datetime | None:
    """Return the end of the chosen span, which is not after that of the freeze; None: that end itself."""
    now = clock.now()
    end = pool.frozen_until(now)
    return min(now + timedelta(minutes=int(minutes)), end) if minutes and end else None


@require_POST
@page.page
def delete(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Delete the pool, or say on its page why it stays."""
    pool = find(request, pool_id)
    rights.demand(request.user, "pools.delete_pool")
    try:
        removal.remove(pool)
    except page.REFUSALS as error:
        problem = page.as_problem(error)
        return shown(request, find(request, pool_id), problem=problem)
    return page.done(request, f"Pool {pool.name} is deleted.", reverse("console:pools"))


def find(request: HttpRequest, pool_id: str) -> Pool:
    """Return the pool with its config and the cluster's status, or raise `Http404`."""
    rows = Pool.objects.visible_to(request.user).select_related("k8s_config__status", "status")
    return get_object_or_404(rows, pk=pool_id)


def shown(request: HttpRequest, pool: Pool, *, token: str = "", problem: Problem | None = None) -> HttpResponse:
    """Return the pool's page. `token`: the text of one that was made just now."""
    face = pool_face.of(pool, request.user)
    framed = {"place": "pools", "token": token, "problem": problem, "may": _may(request), "spans": SPANS}
    tokens = PoolToken.objects.visible_to(request.user).filter(pool=pool).order_by("-created_at")[:MOST]
    stays = removal.obstacle(pool)
    status = problem.status if problem else 200
    return page.show(request, "pool.html", status=status, tokens=tokens, stays=stays, **framed, **vars(face))


def _may(request: HttpRequest) -> dict[str, bool]:
    verbs = ("change_pool", "delete_pool", "add_pooltoken", "delete_pooltoken", "view_k8sconfig")
    return {verb: rights.may(request.user, f"pools.{verb}") for verb in verbs}
