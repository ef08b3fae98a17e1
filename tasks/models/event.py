"""Every move of every task, written with the move; never changed."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from iacplatform.base import clock, rights
from tasks.models.task import Task


class TaskEvents(models.QuerySet["TaskEvent"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)


class TaskEvent(models.Model):
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(db_default=clock.DatabaseNow())
    event = models.CharField(max_length=30)
    before = models.CharField(max_length=20, blank=True)
    after = models.CharField(max_length=20)
    reason = models.TextField(blank=True, help_text="A sentence: why.")
    actor = models.CharField(max_length=200, help_text="user:<name>, agent:<name> or the platform's part.")
    attempt = models.PositiveIntegerField(default=0)
    epoch = models.PositiveIntegerField(default=0)

    objects = TaskEvents.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="event_at")]

    def __str__(self) -> str:
        return f"{self.event}: {self.before or '-'} → {self.after}"
