"""The files of a workspace at one moment; never changed, only followed by a newer version."""

from typing import Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from iacplatform.base import clock, rights
from workspaces.models.workspace import Workspace


class Configurations(models.QuerySet["Configuration"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def newest_of(self, workspace: Workspace) -> "Configuration | None":
        """Return the version that a new task would take."""
        return self.filter(workspace=workspace).order_by("-number").first()


class Configuration(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="configurations")
    number = models.PositiveIntegerField(help_text="Counts from 1 in each workspace.")
    files = models.JSONField(help_text="Text by path.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the files.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = Configurations.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="configuration_number_is_unique")]

    def __str__(self) -> str:
        return f"{self.workspace} v{self.number}"
