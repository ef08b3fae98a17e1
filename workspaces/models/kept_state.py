"""States that came too late to be stored: kept beside the versions, so that a person can look at them."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from iacplatform.base import clock, encryption, rights
from workspaces.models.state import StateVersion
from workspaces.models.workspace import Workspace


class KeptStates(models.QuerySet["KeptState"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see: who sees versions of states sees these."""
        return self if rights.may(user, rights.name("view", StateVersion)) else self.none()


class KeptState(models.Model):
    """What a task's run sent and was refused. It moves nothing; a person may upload it as a version."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="kept_states")
    task_id = models.BigIntegerField()
    epoch = models.PositiveIntegerField()
    serial = models.BigIntegerField()
    lineage = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content.")
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    resources = models.PositiveIntegerField(default=0, help_text="Number of resource instances that it manages.")
    sealed_content = models.BinaryField(editable=False)
    why = models.TextField(help_text="A sentence: why it was not stored.")
    created_by = models.CharField(max_length=200, help_text="task:<id> phase and attempt.")
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)

    objects = KeptStates.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["task_id", "digest"], name="kept_state_is_kept_once")]

    def __str__(self) -> str:
        return f"serial {self.serial} of task {self.task_id}, kept aside"

    @staticmethod
    def owner(workspace_id: str, task_id: int) -> str:
        """Return what the content is sealed for."""
        return f"workspaces.kept_state:{workspace_id}:{task_id}"

    def content(self) -> bytes:
        """Return the state as it was sent."""
        return encryption.unseal(self.sealed_content, self.owner(self.workspace_id, self.task_id))
