from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from iacplatform.base.admin import ChangedOnly, KnownOnly, ReadOnly
from iacplatform.base.generic import ModelAdmin
from iacplatform.base.problems import Problem
from pools import checks
from pools.forms import K8sConfigForm
from pools.models import ClusterStatus, K8sConfig, Pod, Pool, PoolStatus, PoolToken, ScalingDecision


@admin.register(Pool)
class PoolAdmin(ChangedOnly):
    """The pool named local is the built-in agents'; it stays."""

    list_display = ["name", "pool_type", "k8s_config", "min_replicas", "max_replicas", "slots_per_pod"]
    list_filter = ["pool_type", "status__condition_code", "k8s_config"]
    search_fields = ["name"]
    readonly_fields = ["pool_id", "unfrozen_until", "created_at"]
    actions = ["unfreeze"]

    @admin.action(description="Unfreeze the chosen pools", permissions=["change"])
    def unfreeze(self, request: HttpRequest, queryset: QuerySet[Pool]) -> None:
        """Let new work start there until the window that is open ends."""
        for pool in queryset:
            try:
                until = pool.unfreeze()
            except Problem as problem:
                messages.error(request, f"Pool {pool}: {problem.detail}")
            else:
                messages.success(request, f"Pool {pool} is unfrozen until {until:%Y-%m-%d %H:%M} UTC.")

    def has_delete_permission(self, request: HttpRequest, obj: Pool | None = None) -> bool:
        """Return whether this pool may go."""
        return not (obj and obj.is_local) and super().has_delete_permission(request, obj)


@admin.register(K8sConfig)
class K8sConfigAdmin(KnownOnly):
    form = K8sConfigForm
    list_display = ["name", "server", "in_cluster", "namespace", "image"]
    search_fields = ["name"]
    readonly_fields = ["server", "created_at"]
    actions = ["check_clusters"]

    @admin.action(description="Check the chosen configs", permissions=["change"])
    def check_clusters(self, request: HttpRequest, queryset: QuerySet[K8sConfig]) -> None:
        """Ask each cluster, and show what was found."""
        for config in queryset:
            for step in checks.check(config):
                level = messages.SUCCESS if step.ok else messages.ERROR
                messages.add_message(request, level, f"{config}, {step.name}: {step.words} {step.remedy}".strip())


@admin.register(PoolToken)
class PoolTokenAdmin(ModelAdmin):
    """A token's text is in the message after it was made, and nowhere else."""

    list_display = ["prefix", "pool", "name", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["pool"]
    fields = ["pool", "name", "expires_at"]
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PoolToken]:
        """Return the tokens that people made."""
        return PoolToken.objects.of_people()

    def has_change_permission(self, request: HttpRequest, obj: PoolToken | None = None) -> bool:
        """Return False for a token that exists; revoking is an action."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: PoolToken | None = None) -> bool:
        """Return False: a revoked token stays to be seen."""
        return False

    def save_model(self, request: HttpRequest, obj: PoolToken, form: Any, change: bool) -> None:
        """Issue the token and show its text, this once."""
        issued, text = PoolToken.issue(pool=obj.pool, name=obj.name, expires_at=obj.expires_at)
        obj.pk = issued.pk
        messages.warning(request, f"The token, shown this once: {text}")

    @admin.action(description="Revoke the chosen tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[PoolToken]) -> None:
        """Let no agent in with them from now on."""
        for token in queryset:
            token.revoke()


class _OfPool(ReadOnly):
    list_select_related = ["pool"]


@admin.register(Pod)
class PodAdmin(_OfPool):
    list_display = ["name", "pool", "phase", "trouble", "cause", "created_at"]
    list_filter = ["phase", "trouble", "pool"]
    search_fields = ["name"]


@admin.register(PoolStatus)
class PoolStatusAdmin(_OfPool):
    list_display = ["pool", "desired", "condition_code", "condition_since", "condition_count", "retry_at"]
    list_filter = ["condition_code"]


@admin.register(ScalingDecision)
class ScalingDecisionAdmin(_OfPool):
    list_display = ["at", "pool", "desired", "wanted", "bound", "pinned", "free", "queued", "live"]
    list_filter = ["bound", "pool"]


@admin.register(ClusterStatus)
class ClusterStatusAdmin(ReadOnly):
    list_display = ["config", "looked_at", "began_at", "failures", "not_before", "calls_left"]
    list_select_related = ["config"]
