"""Pools: like agents that grow and shrink together, and the tokens that let agents in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from agents.models import Agent
from iacplatform.base import rights
from iacplatform.console import fleet, page
from pools.models import Pod, PodPhase, Pool, PoolToken

MOST = 100
"""Agents, pods and tokens on a pool's page."""


@page.page
def index(request: HttpRequest) -> HttpResponse:
    """Show the pools."""
    listed = page.listed(request, Pool.objects.visible_to(request.user))
    return page.show(request, "pools.html", place="pools", page=listed, fleet=fleet.glances(listed, request.user))


@page.page
def detail(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Show one pool with its agents, pods and tokens."""
    return _shown(request, _find(request, pool_id))


@require_POST
@page.page
def issue(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Make a token and show its text in the answer, this once."""
    pool = _find(request, pool_id)
    rights.demand(request.user, "pools.add_pooltoken")
    _, text = PoolToken.issue(pool=pool, name=request.POST.get("name", "").strip()[:90])
    answer = _shown(request, pool, token=text)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@page.page
def revoke(request: HttpRequest, pool_id: str, token_id: int) -> HttpResponse:
    """Let no agent in with the token from now on."""
    rights.demand(request.user, "pools.delete_pooltoken")
    tokens = PoolToken.objects.visible_to(request.user).filter(pool=_find(request, pool_id))
    token = get_object_or_404(tokens, pk=token_id)
    token.revoke()
    sentence = f"Token {token.prefix}… is revoked. Sockets that it opened close within seconds."
    return page.done(request, sentence, reverse("console:pool", args=[pool_id]))


def _find(request: HttpRequest, pool_id: str) -> Pool:
    return get_object_or_404(Pool.objects.visible_to(request.user).select_related("k8s_config"), pk=pool_id)


def _shown(request: HttpRequest, pool: Pool, *, token: str = "") -> HttpResponse:
    agents = Agent.objects.visible_to(request.user).filter(pool=pool).order_by("-last_seen_at")[:MOST]
    pods = Pod.objects.visible_to(request.user).filter(pool=pool).exclude(phase=PodPhase.GONE)
    return page.show(
        request,
        "pool.html",
        place="pools",
        pool=pool,
        roster=fleet.roster(agents),
        pods=pods[:MOST],
        tokens=PoolToken.objects.visible_to(request.user).filter(pool=pool).order_by("-created_at")[:MOST],
        token=token,
        may={verb: rights.may(request.user, f"pools.{verb}_pooltoken") for verb in ("add", "delete")},
        waiting=fleet.waiting(pool, request.user),
    )
