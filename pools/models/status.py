"""What is known of the pods of a pool, and of a cluster, from the last look at it."""

from django.db import models

from iacplatform.base import clock
from pools.models.cluster import K8sConfig
from pools.models.pool import Pool

BURST = 20
"""Calls to a cluster that may be made at once, after a rest."""


class PoolStatus(models.Model):
    """How many pods a pool should have, and what keeps it from them."""

    pool = models.OneToOneField(Pool, on_delete=models.CASCADE, primary_key=True, related_name="status")
    desired = models.PositiveIntegerField(null=True, help_text="Pods that the autoscaler wants.")
    surplus_since = models.DateTimeField(null=True, help_text="Since when more pods are there than wanted.")
    condition_code = models.CharField(max_length=40, blank=True, help_text="A wait reason's code; empty: all is well.")
    condition_message = models.TextField(blank=True, help_text="With the cluster's own words.")
    condition_since = models.DateTimeField(null=True)
    condition_count = models.PositiveIntegerField(default=0, help_text="How many times in a row.")
    retry_at = models.DateTimeField(null=True, help_text="No new pod before then.")

    def __str__(self) -> str:
        return f"{self.pool}: {self.condition_code or 'well'}"


class ClusterStatus(models.Model):
    """When a cluster was asked, and how many calls it may get. Several worker processes share it."""

    config = models.OneToOneField(K8sConfig, on_delete=models.CASCADE, primary_key=True, related_name="status")
    calls_left = models.FloatField(default=BURST)
    refilled_at = models.DateTimeField(db_default=clock.DatabaseNow())
    not_before = models.DateTimeField(null=True, help_text="The cluster, or our back-off, wants no call before then.")
    held_until = models.DateTimeField(null=True, help_text="The cluster itself asked for no call before then.")
    failures = models.PositiveIntegerField(default=0, help_text="Looks in a row that failed.")
    asked_at = models.DateTimeField(null=True, help_text="When somebody last asked for a look at once.")
    began_at = models.DateTimeField(null=True, help_text="When the last look began.")
    looked_at = models.DateTimeField(null=True, help_text="When a look last succeeded.")

    def __str__(self) -> str:
        return f"{self.config}: {self.failures} failures"
