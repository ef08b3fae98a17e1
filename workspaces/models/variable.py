"""A value for a configuration or its environment; sealed at rest, and a sensitive one is never read back."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from iacplatform.base import clock, encryption, rights
from workspaces import values
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

    given: str | None = None
    """A new value, to be judged by `full_clean`, which also seals it."""

    objects = Variables.as_manager()

    class Meta:
        ordering = ["category", "key"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "category", "key"], name="variable_key_is_unique"),
            models.CheckConstraint(name="variable_hcl_is_terraforms", condition=Q(hcl=False) | Q(category="terraform")),
        ]

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        """Raise with a sentence by field where the variable breaks a rule; else seal its value for its key."""
        if not self.workspace_id:
            return  # The field says so; there is nobody to seal for.
        stored = Variable.objects.filter(pk=self.pk).first() if self.pk else None
        value = self.given if self.given is not None else stored.value() if stored else ""
        if faults := {name: fault for name, fault in self._faults(stored, value).items() if fault}:
            raise ValidationError(faults)
        self.set_value(value)

    def _faults(self, stored: "Variable | None", value: str) -> dict[str, str]:
        return {
            "key": values.key_fault(self.key, self.category) or self._number_fault(stored),
            "value": values.value_fault(value, hcl_value=self.hcl, category=self.category),
            "sensitive": self._unveiling_fault(stored),
        }

    def _number_fault(self, stored: "Variable | None") -> str:
        full = stored is None and self.workspace.variables.count() >= values.MOST_VARIABLES
        return f"A workspace has at most {values.MOST_VARIABLES} variables." if full else ""

    def _unveiling_fault(self, stored: "Variable | None") -> str:
        shows = stored is not None and stored.sensitive and not self.sensitive and self.given is None
        return "Its value is never shown again: give a new value together with sensitive false." if shows else ""

    def set_value(self, value: str) -> None:
        """Keep `value`, sealed for this workspace and key; save the row afterwards."""
        self.sealed_value = encryption.seal(value.encode(), self.owner)

    def value(self) -> str:
        """Return the value for a task of the workspace. Nothing that answers a person may call it when sensitive."""
        return encryption.unseal(self.sealed_value, self.owner).decode()

    @property
    def owner(self) -> str:
        """Return what the value is sealed for."""
        return f"workspaces.variable:{self.workspace_id}:{self.category}:{self.key}"
