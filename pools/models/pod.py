"""A pod that we mean to have; one row for each, there before the cluster hears of it."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from iacplatform.base import clock, rights
from pools.models.pool import Pool

OURS = "iac-"
"""Begins the names of our pods."""


class PodPhase(models.TextChoices):
    INTENDED = "intended"
    """The row is there, the cluster has not been asked yet."""
    STARTING = "starting"
    """The cluster has it; its agent has not connected yet."""
    RUNNING = "running"
    """Its agent has connected."""
    DRAINING = "draining"
    """Takes nothing new; it will be deleted."""
    DELETING = "deleting"
    """The cluster was asked to delete it."""
    GONE = "gone"
    """The cluster says that it is gone."""


COMING = frozenset({PodPhase.INTENDED, PodPhase.STARTING})
"""Its agent is awaited."""

STAYING = COMING | {PodPhase.RUNNING}
"""Nobody has begun to remove it: it counts for the pool's maximum, and its agent takes work."""

ENDING = frozenset({PodPhase.DRAINING, PodPhase.DELETING})
"""Its removal has begun."""


class Pods(models.QuerySet["Pod"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def live(self) -> Self:
        """Narrow to pods that are meant to be, or may still be there."""
        return self.exclude(phase=PodPhase.GONE)


class Pod(models.Model):
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="pods")
    name = models.CharField(max_length=253, unique=True)
    uid = models.CharField(max_length=64, blank=True)
    phase = models.CharField(max_length=10, choices=PodPhase, default=PodPhase.INTENDED)
    cause = models.TextField(blank=True, help_text="Why it ended, in the cluster's words.")
    slots = models.PositiveIntegerField(default=1)
    config_hash = models.CharField(max_length=64, blank=True, help_text="Of the K8s config that it was made from.")
    trouble = models.CharField(max_length=40, blank=True, help_text="A wait reason's code; empty: none is seen.")
    trouble_words = models.TextField(blank=True, help_text="The cluster's own.")
    trouble_since = models.DateTimeField(null=True)
    equipped_at = models.DateTimeField(null=True, help_text="When the cluster got the token of its agent.")
    started_at = models.DateTimeField(null=True, help_text="When its container was first seen to run.")
    connected_at = models.DateTimeField(null=True, help_text="When its agent first connected.")
    last_busy_at = models.DateTimeField(null=True, help_text="When a slot of it was last seen to be held.")
    gone_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=clock.DatabaseNow(), editable=False)
    deadline = models.DateTimeField(null=True, help_text="When its agent must have connected.")

    objects = Pods.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["pool"], name="pod_live", condition=~models.Q(phase="gone"))]

    def __str__(self) -> str:
        return self.name
