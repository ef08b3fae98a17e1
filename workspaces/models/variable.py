"""A value for a configuration or its environment; sealed at rest, and a sensitive one is never read back."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q

from iacplatform.base import clock, encryption, rights
from workspaces.models.workspace import Workspace


class Category(models.TextChoices):
    TERRAFORM = "terraform"
    """An input variable of the configuration."""
    ENV = "env"
    """An environment variable of the engine."""


class Variables(models.QuerySet["Variable"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)


class Variable(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="variables")
    key = models.CharField(max_length=128)
    sealed_value = models.BinaryField(editable=False)
    category = models.CharField(max_length=10, choices=Category, default=Category.TERRAFORM)
    hcl = models.BooleanField(default=False, help_text="The value is an expression, such as a list.")
    sensitive = models.BooleanField(default=False, help_text="Never shown again. Cannot be taken back.")
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)
    updated_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = Variables.as_manager()

    class Meta:
        ordering = ["category", "key"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "category", "key"], name="variable_key_is_unique"),
            models.CheckConstraint(name="variable_hcl_is_terraforms", condition=Q(hcl=False) | Q(category="terraform")),
        ]

    def __str__(self) -> str:
        return self.key

    def set_value(self, value: str) -> None:
        """Keep `value`, sealed for this workspace and key; save the row afterwards."""
        self.sealed_value = encryption.seal(value.encode(), self._owner)

    def value(self) -> str:
        """Return the value for a task of the workspace. Nothing that answers a person may call it when sensitive."""
        return encryption.unseal(self.sealed_value, self._owner).decode()

    @property
    def _owner(self) -> str:
        return f"workspaces.variable:{self.workspace_id}:{self.category}:{self.key}"
