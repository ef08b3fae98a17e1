"""The tokens that let agents into a pool: a text is shown once, in the answer that made it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from iacplatform.base import rights
from iacplatform.console import page, pools
from pools.models import PoolToken


@require_POST
@page.page
def issue(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Make a token and show its text in the answer, this once."""
    pool = pools.find(request, pool_id)
    rights.demand(request.user, "pools.add_pooltoken")
    _, text = PoolToken.issue(pool=pool, name=request.POST.get("name", "").strip()[:90])
    answer = pools.shown(request, pool, token=text)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@page.page
def revoke(request: HttpRequest, pool_id: str, token_id: int) -> HttpResponse:
    """Let no agent in with the token from now on."""
    rights.demand(request.user, "pools.delete_pooltoken")
    tokens = PoolToken.objects.visible_to(request.user).filter(pool=pools.find(request, pool_id))
    token = get_object_or_404(tokens, pk=token_id)
    token.revoke()
    sentence = f"Token {token.prefix}… is revoked. Sockets that it opened close within seconds."
    return page.done(request, sentence, reverse("console:pool", args=[pool_id]))
