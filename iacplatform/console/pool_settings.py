"""A pool's settings: made and changed by one form."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from iacplatform.base import rights
from iacplatform.base.problems import Problem
from iacplatform.console import page, pool_forms, pools
from iacplatform.console.pool_forms import PoolForm, Windows
from pools.models import Pool


@page.page
def create(request: HttpRequest) -> HttpResponse:
    """Show the form of a new pool, or make it."""
    rights.demand(request.user, "pools.add_pool")
    return _answered(request, None)


@page.page
def change(request: HttpRequest, pool_id: str) -> HttpResponse:
    """Show the pool's settings, or change them."""
    pool = pools.find(request, pool_id)
    rights.demand(request.user, "pools.change_pool")
    return _answered(request, pool)


def _answered(request: HttpRequest, pool: Pool | None) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = PoolForm(data, user=request.user, instance=pool)
    windows = pool_forms.windows(pool, data)
    return _kept(request, form, windows) if data is not None else _shown(request, form, windows)


def _kept(request: HttpRequest, form: PoolForm, windows: Windows) -> HttpResponse:
    if not all([form.is_valid(), windows.is_valid()]):
        return _shown(request, form, windows, status=400)
    try:
        with transaction.atomic():
            pool = form.keep(windows)
    except page.REFUSALS as error:
        problem = page.as_problem(error)
        return _shown(request, form, windows, status=problem.status, problem=problem)
    sentence = f"The settings of pool {pool.name} are stored."
    return page.done(request, sentence, reverse("console:pool", args=[pool.pk]))


def _shown(
    request: HttpRequest, form: PoolForm, windows: Windows, *, status: int = 200, problem: Problem | None = None
) -> HttpResponse:
    # A form writes what was typed into its row, also when it is refused; the page's head shows what is stored.
    stored = Pool.objects.visible_to(request.user).filter(pk=form.instance.pk).first()
    framed = {"place": "pools", "pool": stored, "form": form, "windows": windows, "problem": problem}
    return page.show(request, "pool_settings.html", status=status, **framed)
