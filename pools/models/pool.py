"""Like agents that grow and shrink together."""

from datetime import datetime
from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q

from iacplatform.base import clock, ids, rights, validators
from pools import freeze, signals
from pools.models.cluster import K8sConfig

LOCAL = "local"
"""Name of the static pool of the agents that `manage.py up` starts; it is always there."""


class PoolType(models.TextChoices):
    STATIC = "static"
    """People start its agents."""
    K8S = "k8s", "Kubernetes"
    """We start its pods, each with one agent."""


class Pools(models.QuerySet["Pool"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def local(self) -> "Pool":
        """Return the pool of the built-in agents."""
        return self.get(name=LOCAL)


class Pool(models.Model):
    pool_id = models.CharField(primary_key=True, max_length=40, default=ids.pool_id, editable=False)
    name = models.CharField(max_length=90, unique=True, validators=[validators.name])
    pool_type = models.CharField(max_length=10, choices=PoolType, default=PoolType.STATIC)
    k8s_config = models.ForeignKey(K8sConfig, on_delete=models.PROTECT, null=True, blank=True, related_name="pools")
    min_replicas = models.PositiveIntegerField(default=1, validators=[MaxValueValidator(1000)])
    max_replicas = models.PositiveIntegerField(default=5, validators=[MaxValueValidator(1000)])
    slots_per_pod = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(64)])
    idle_seconds = models.PositiveIntegerField(default=300)
    reservation_seconds = models.PositiveIntegerField(default=3600)
    freeze_windows = models.JSONField(default=list, blank=True, validators=[freeze.validate])
    unfrozen_until = models.DateTimeField(null=True, editable=False, help_text="Until then no window counts.")
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = Pools.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="pool_of_type_k8s_has_a_config",
                condition=Q(pool_type="k8s", k8s_config__isnull=False) | Q(pool_type="static", k8s_config=None),
                violation_error_message="A pool of type k8s needs a K8s config; a static pool has none.",
            ),
            models.CheckConstraint(
                name="pool_min_is_not_above_max",
                condition=Q(min_replicas__lte=F("max_replicas")),
                violation_error_message="The minimum of pods cannot be above the maximum.",
            ),
            models.CheckConstraint(name="pool_has_slots", condition=Q(slots_per_pod__range=(1, 64))),
            models.CheckConstraint(
                name="pool_name_is_safe", condition=Q(name__regex=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,89}$")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_local(self) -> bool:
        return self.name == LOCAL

    def is_frozen(self, now: datetime) -> bool:
        """Return whether nothing new may start at `now`: a freeze window is open, and nobody unfroze the pool."""
        return freeze.is_frozen(self._windows(now), now)

    def frozen_until(self, now: datetime) -> datetime | None:
        """Return when the freeze that holds at `now` ends; None: the pool is not frozen."""
        return freeze.frozen_until(self._windows(now), now)

    def unfreeze(self, until: datetime | None = None) -> datetime:
        """Let new work start until then, or until the window that is open now ends; return when that is.

        Doing it again moves the time. Raises as `freeze.thaw_until` does.
        """
        with transaction.atomic():
            pool, now = Pool.objects.select_for_update(no_key=True).get(pk=self.pk), clock.now()
            self.unfrozen_until = freeze.thaw_until(pool.freeze_windows, until, now)
            Pool.objects.filter(pk=self.pk).update(unfrozen_until=self.unfrozen_until)
            signals.announce(signals.pool_unfrozen, self.pk)
        return self.unfrozen_until

    def _windows(self, now: datetime) -> list[freeze.Window]:
        """Return the windows that count at `now`."""
        is_unfrozen = self.unfrozen_until is not None and now < self.unfrozen_until
        return [] if is_unfrozen else self.freeze_windows

    def clean(self) -> None:
        """Raise with a sentence by field where the pool breaks a rule; the database holds the same rules."""
        faults = {**self._config_faults(), **self._lasting_faults()}
        if self.min_replicas is not None and self.max_replicas is not None and self.min_replicas > self.max_replicas:
            faults["min_replicas"] = "The minimum of pods cannot be above the maximum."
        if faults:
            raise ValidationError(faults)

    def _config_faults(self) -> dict[str, str]:
        if self.pool_type == PoolType.K8S and self.k8s_config_id is None:
            return {"k8s_config": "A pool of type k8s needs a K8s config: make one and choose it here."}
        if self.pool_type == PoolType.STATIC and self.k8s_config_id is not None:
            return {"k8s_config": "A static pool has no K8s config: people start its agents. Leave it empty."}
        return {}

    def _lasting_faults(self) -> dict[str, str]:
        stored = Pool.objects.filter(pk=self.pk).values("pool_type", "name", "k8s_config_id").first()
        if stored is None:
            return {}
        faults = {}
        if stored["pool_type"] != self.pool_type:
            faults["pool_type"] = "The type of a pool never changes. Make another pool and move the workspaces there."
        if stored["name"] == LOCAL != self.name:
            faults["name"] = "The pool named local is the built-in agents'; it keeps its name."
        if stored["k8s_config_id"] != self.k8s_config_id and self.pods.live().exists():
            faults["k8s_config"] = (
                "Pods of this pool are in the cluster of its K8s config. Set minimum and maximum to 0 and wait until "
                "they are gone, or make another pool and move the workspaces there."
            )
        return faults
