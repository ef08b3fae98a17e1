"""Terraform's state of a workspace: versions that never change, and the lock of whoever writes the next one."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from iacplatform.base import clock, encryption, rights
from workspaces.models.workspace import Workspace


class StateVersions(models.QuerySet["StateVersion"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def newest_of(self, workspace_id: str) -> "StateVersion | None":
        """Return the state that the engine reads."""
        return self.filter(workspace_id=workspace_id).order_by("-serial").first()

    def before(self, version: "StateVersion") -> "StateVersion | None":
        """Return the one that `version` followed."""
        older = self.filter(workspace_id=version.workspace_id, serial__lt=version.serial)
        return older.order_by("-serial").first()


class StateVersion(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="state_versions")
    serial = models.BigIntegerField()
    lineage = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content.")
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    resources = models.PositiveIntegerField(default=0, help_text="Number of resource instances that it manages.")
    sealed_content = models.BinaryField(editable=False)
    created_by = models.CharField(max_length=200, help_text="user:<name>, or task:<id> phase and attempt.")
    task_id = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = StateVersions.as_manager()

    class Meta:
        ordering = ["-serial"]
        constraints = [models.UniqueConstraint(fields=["workspace", "serial"], name="state_serial_is_unique")]

    def __str__(self) -> str:
        return f"{self.workspace_id} serial {self.serial}"

    @staticmethod
    def owner(workspace_id: str) -> str:
        """Return what a state's content is sealed for."""
        return f"workspaces.state:{workspace_id}"

    def content(self) -> bytes:
        """Return the state as it was uploaded."""
        return encryption.unseal(self.sealed_content, self.owner(self.workspace_id))


class StateLocks(models.QuerySet["StateLock"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)


class StateLock(models.Model):
    """Held by a run of an engine. Whether its holder still lives is asked, not stored."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="state_lock")
    lock_id = models.CharField(max_length=200)
    info = models.JSONField(help_text="The lock's information as the engine sent it.")
    holder = models.CharField(max_length=200, help_text="user:<name> or task:<id>")
    task_id = models.BigIntegerField(null=True)
    epoch = models.PositiveIntegerField(null=True)
    phase = models.CharField(max_length=10, blank=True)
    agent_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = StateLocks.as_manager()

    def __str__(self) -> str:
        return f"{self.workspace_id} held by {self.holder}"
