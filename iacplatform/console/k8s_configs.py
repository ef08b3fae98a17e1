"""K8s configs: how to reach a cluster, and what a pod of ours looks like there."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from iacplatform.base import rights
from iacplatform.base.problems import Problem
from iacplatform.console import page
from pools import checks
from pools.forms import K8sConfigForm
from pools.models import OF_PODS, K8sConfig, Pool


@page.page
def index(request: HttpRequest) -> HttpResponse:
    """Show the configs."""
    listed = page.listed(request, K8sConfig.objects.visible_to(request.user).select_related("status"))
    return page.show(request, "k8s_configs.html", place="pools", page=listed, may=_may(request))


@page.page
def create(request: HttpRequest) -> HttpResponse:
    """Show the form of a new config, or make it."""
    rights.demand(request.user, "pools.add_k8sconfig")
    return _answered(request, None)


@page.page
def detail(request: HttpRequest, config_id: int) -> HttpResponse:
    """Show one config with the pools that use it."""
    return _shown(request, _find(request, config_id))


@page.page
def change(request: HttpRequest, config_id: int) -> HttpResponse:
    """Show the form of a config, or change it."""
    config = _find(request, config_id)
    rights.demand(request.user, "pools.change_k8sconfig")
    return _answered(request, config)


@require_POST
@page.page
def check(request: HttpRequest, config_id: int) -> HttpResponse:
    """Ask the cluster whether all that we need works, and show the answer to each step."""
    config = _find(request, config_id)
    rights.demand(request.user, "pools.change_k8sconfig")
    steps = checks.check(config)
    if request.headers.get("HX-Request"):
        return page.part(request, "_steps.html", config=config, steps=steps)
    return _shown(request, config, steps=steps)


@require_POST
@page.page
def delete(request: HttpRequest, config_id: int) -> HttpResponse:
    """Delete the config, or say on its page why it stays."""
    config = _find(request, config_id)
    rights.demand(request.user, "pools.delete_k8sconfig")
    try:
        with transaction.atomic():
            config.delete()
    except page.REFUSALS as error:
        return _shown(request, _find(request, config_id), problem=page.as_problem(error))
    return page.done(request, f"K8s config {config.name} is deleted.", reverse("console:k8s_configs"))


def _find(request: HttpRequest, config_id: int) -> K8sConfig:
    return get_object_or_404(K8sConfig.objects.visible_to(request.user).select_related("status"), pk=config_id)


def _shown(request: HttpRequest, config: K8sConfig, **framed: Any) -> HttpResponse:
    problem: Problem | None = framed.get("problem")
    form = K8sConfigForm(instance=config)
    shape = [(form[name].label, form[name].value()) for name in OF_PODS]
    return page.show(
        request,
        "k8s_config.html",
        status=problem.status if problem else 200,
        place="pools",
        config=config,
        cluster=getattr(config, "status", None),
        shape=[(label, form_value) for label, form_value in shape if form_value],
        pools=Pool.objects.visible_to(request.user).filter(k8s_config=config).select_related("status"),
        stays=_obstacle(config),
        may=_may(request),
        **framed,
    )


def _obstacle(config: K8sConfig) -> str:
    """Return why the config cannot go yet and what to do about it; empty: it can."""
    names = ", ".join(config.pools.values_list("name", flat=True)[:5])
    return f"Pools use it ({names}): delete them first, or give them another config." if names else ""


def _answered(request: HttpRequest, config: K8sConfig | None) -> HttpResponse:
    form = K8sConfigForm(request.POST or None, instance=config)
    if request.method != "POST":
        return _asked(request, form)
    if not form.is_valid():
        return _asked(request, form, status=400)
    try:
        with transaction.atomic():
            stored = form.save()
    except page.REFUSALS as error:
        problem = page.as_problem(error)
        return _asked(request, form, status=problem.status, problem=problem)
    sentence = f"K8s config {stored.name} is stored. Check says whether its cluster does what pools need."
    return page.done(request, sentence, reverse("console:k8s_config", args=[stored.pk]))


def _asked(
    request: HttpRequest, form: K8sConfigForm, *, status: int = 200, problem: Problem | None = None
) -> HttpResponse:
    # A form writes what was typed into its row, also when it is refused; the page's head shows what is stored.
    stored = K8sConfig.objects.visible_to(request.user).filter(pk=form.instance.pk).first()
    framed = {"place": "pools", "config": stored, "form": form, "problem": problem}
    return page.show(request, "k8s_config_settings.html", status=status, **framed)


def _may(request: HttpRequest) -> dict[str, bool]:
    return {verb: rights.may(request.user, f"pools.{verb}_k8sconfig") for verb in ("add", "change", "delete")}
