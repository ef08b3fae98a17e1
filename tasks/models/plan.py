"""What a plan phase made, sealed: enough for any equal agent to apply exactly this."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from iacplatform.base import clock, encryption, rights
from tasks.models.attempt import Attempt
from tasks.models.task import Task


class Part(models.TextChoices):
    FILE = "file"
    """The engine's own plan file."""
    JSON = "json"
    """The same for people and programs (`show -json`)."""
    LOCK = "lock"
    """The provider lock file."""
    EXTRAS = "extras"
    """Files that the plan phase made beside the configuration, as a tar that only agents open."""


class PlanPart(models.Model):
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="plan_parts")
    part = models.CharField(max_length=10, choices=Part)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content.")
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    sealed_content = models.BinaryField(editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["attempt", "part"], name="plan_part_is_unique")]

    def __str__(self) -> str:
        return f"{self.part} of attempt {self.attempt_id}"

    @staticmethod
    def owner(attempt_id: int, part: str) -> str:
        """Return what a part's content is sealed for."""
        return f"tasks.plan:{attempt_id}:{part}"

    def content(self) -> bytes:
        """Return the part as the planner uploaded it."""
        return encryption.unseal(self.sealed_content, self.owner(self.attempt_id, self.part))


class Plans(models.QuerySet["Plan"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def current_of(self, task: Task) -> "Plan | None":
        """Return the plan that a confirmation of this task would confirm."""
        return self.filter(task=task, digest=task.plan_digest).order_by("-attempt_id").first()


class Plan(models.Model):
    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, primary_key=True, related_name="plan")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="plans")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the plan file; a confirmation names it.")
    lineage = models.CharField(max_length=100, blank=True)
    serial = models.BigIntegerField(default=0)
    engine = models.CharField(max_length=10)
    version = models.CharField(max_length=40)
    os = models.CharField(max_length=20)
    arch = models.CharField(max_length=20)
    has_changes = models.BooleanField()
    changes = models.JSONField()
    created_at = models.DateTimeField(db_default=clock.DatabaseNow())

    objects = Plans.as_manager()

    def __str__(self) -> str:
        return f"plan {self.digest[:12]} of task {self.task_id}"
