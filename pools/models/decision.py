"""What the autoscaler decided, from which numbers, and what bound it; kept when it differs from the one before."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from iacplatform.base import clock, rights
from pools import sentences
from pools.models.pool import Pool


class ScalingDecisions(models.QuerySet["ScalingDecision"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)


class ScalingDecision(models.Model):
    """`pinned`: pods that hold a lease. `free`: free slots on them. `queued`: tasks that need a slot now."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="decisions")
    at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)
    pinned = models.PositiveIntegerField()
    free = models.PositiveIntegerField()
    queued = models.PositiveIntegerField()
    live = models.PositiveIntegerField(help_text="Pods that were there or starting.")
    wanted = models.PositiveIntegerField(help_text="Before any limit.")
    desired = models.PositiveIntegerField()
    bound = models.CharField(max_length=20, blank=True, help_text="The limit that bound it; empty: none.")

    objects = ScalingDecisions.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["pool", "-at"], name="decision_of_pool")]

    def __str__(self) -> str:
        return f"{self.pool}: {self.desired} pods"

    @property
    def sentence(self) -> str:
        """The decision in words."""
        return sentences.of(self)
