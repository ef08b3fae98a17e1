"""A Terraform configuration with its variables and its state; where its tasks run; who holds it."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from iacplatform.base import clock, ids, rights, validators
from iacplatform.base.problems import NotFound
from pools.models import LOCAL, Pool, PoolType
from workspaces import paths


class ExecutionMode(models.TextChoices):
    LOCAL = "local"
    """On the pool named local: the agents that `manage.py up` starts."""
    AGENT = "agent"
    """On a static pool."""
    K8S = "k8s", "Kubernetes"
    """On a pool of pods."""


class Engine(models.TextChoices):
    TERRAFORM = "terraform", "Terraform"
    TOFU = "tofu", "OpenTofu"


def pool_now(prefix: str = "") -> models.Case:
    """Return the pool that a workspace names at this moment, for a query in which `prefix` leads to the workspace."""
    local = Pool.objects.filter(name=LOCAL).values("pk")[:1]
    is_local = models.When(**{f"{prefix}execution_mode": ExecutionMode.LOCAL}, then=models.Subquery(local))
    return models.Case(is_local, default=models.F(f"{prefix}pool_id"))


class Workspaces(models.QuerySet["Workspace"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def locked_for_change(self, workspace_id: str) -> "Workspace":
        """Return the workspace with its row locked: moves within one workspace are made one after another."""
        return self.select_for_update(of=("self",), no_key=True)._still_there(workspace_id)

    def locked_for_removal(self, workspace_id: str) -> "Workspace":
        """Return the workspace with its row locked so that no row can be made that names it: a state, for one."""
        return self.select_for_update(of=("self",))._still_there(workspace_id)

    def _still_there(self, workspace_id: str) -> "Workspace":
        if (found := self.filter(pk=workspace_id).first()) is None:
            raise NotFound(f"Workspace {workspace_id} was deleted meanwhile.")
        return found


class Workspace(models.Model):
    workspace_id = models.CharField(primary_key=True, max_length=40, default=ids.workspace_id, editable=False)
    name = models.CharField(max_length=90, unique=True, validators=[validators.name])
    description = models.TextField(blank=True, max_length=2000)
    execution_mode = models.CharField(max_length=10, choices=ExecutionMode, default=ExecutionMode.LOCAL)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, null=True, blank=True, related_name="workspaces")
    engine = models.CharField(max_length=10, choices=Engine, default=Engine.TERRAFORM)
    terraform_version = models.CharField(
        max_length=40,
        blank=True,
        validators=[RegexValidator(r"^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$", "Give a whole version such as 1.11.4.")],
        help_text="Version of the engine; empty: what the agent has.",
    )
    working_directory = models.CharField(max_length=500, blank=True, validators=[paths.validate_folder])
    auto_apply = models.BooleanField(default=False)
    plan_timeout_seconds = models.PositiveIntegerField(
        default=3600, validators=[MinValueValidator(10), MaxValueValidator(86400)]
    )
    apply_timeout_seconds = models.PositiveIntegerField(
        default=4 * 3600, validators=[MinValueValidator(10), MaxValueValidator(7 * 86400)]
    )
    locked_by = models.CharField(max_length=200, blank=True, editable=False, help_text="user:<name> or task:<id>")
    lock_reason = models.TextField(blank=True, editable=False)
    locked_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = Workspaces.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="workspace_in_k8s_mode_has_a_pool",
                condition=~Q(execution_mode="k8s") | Q(pool__isnull=False),
                violation_error_message="Execution mode k8s needs a pool of type k8s: choose one.",
            ),
            models.CheckConstraint(
                name="workspace_name_is_safe", condition=Q(name__regex=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,89}$")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_locked(self) -> bool:
        """Whether a person or a task holds it, so that nothing which changes things may start."""
        return bool(self.locked_by)

    def clean(self) -> None:
        """Raise where mode and pool do not fit; a trigger refuses the same in the database."""
        if fault := pool_fault(self.execution_mode, self.pool if self.pool_id else None):
            raise ValidationError({"pool": fault})


def pool_fault(mode: str, pool: Pool | None) -> str:
    """Return why a workspace of this mode cannot use this pool, or an empty text."""
    if mode == ExecutionMode.LOCAL and pool is not None and pool.name != LOCAL:
        return "Execution mode local runs on the pool named local: leave the pool empty or choose that one."
    if mode == ExecutionMode.AGENT and pool is not None and pool.pool_type != PoolType.STATIC:
        return f"Execution mode agent needs a static pool, and {pool.name} is of type {pool.pool_type}."
    if mode == ExecutionMode.K8S and (pool is None or pool.pool_type != PoolType.K8S):
        return "Execution mode k8s needs a pool of type k8s, which has a K8s config: make one and choose it."
    return ""
