"""A process that runs phases. It has slots 0 to capacity-1; which of them are held, the tasks' rows say."""

from functools import cached_property
from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q

from agents import holds
from agents.holds import Hold
from iacplatform.base import clock, heartbeats, ids, rights
from iacplatform.base.prepared import Given
from pools.models import Pool, PoolToken

_IS_CONNECTED = Q(lease_until__gt=clock.DatabaseNow()) & ~Q(session="")


class Agents(models.QuerySet["Agent"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def connected(self) -> Self:
        """Narrow to agents with an open session that is within its lease."""
        return self.filter(_IS_CONNECTED)

    def taking_work(self) -> Self:
        """Narrow to connected agents that take something new."""
        return self.connected().filter(draining=False)

    def with_presence(self) -> Self:
        """Add `is_connected`: whether `connected` would name the agent."""
        connected = models.Case(models.When(_IS_CONNECTED, then=True), default=False)
        return self.annotate(is_connected=connected)

    def with_right_to_speak(self, token_id: int | Given) -> Self:
        """Add `may_speak`: whether this pool token lets anybody in now."""
        return self.annotate(may_speak=models.Exists(PoolToken.objects.valid().filter(pk=token_id)))

    def with_holds(self) -> Self:
        """Add `held`: the leases on the agents' slots, as `holds` reads them."""
        return self.annotate(held=holds.column())

    def in_time(self) -> Self:
        """Narrow to agents whose last heartbeat is not so long ago that it would be a silence."""
        return self.filter(last_seen_at__gt=clock.In(seconds=-heartbeats.patience_seconds()))

    def expired(self) -> Self:
        """Narrow to agents that have not been heard of for a whole lease."""
        return self.filter(lease_until__lte=clock.DatabaseNow())


class Agent(models.Model):
    agent_id = models.CharField(primary_key=True, max_length=40, default=ids.agent_id, editable=False)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="agents")
    pool_token = models.ForeignKey(PoolToken, on_delete=models.SET_NULL, null=True)
    name = models.CharField(max_length=90)
    instance = models.CharField(max_length=64, help_text="Random; lives as long as the agent's work folder.")
    session = models.CharField(max_length=40, blank=True, help_text="Of the open socket; empty: none.")
    pod_name = models.CharField(max_length=253, blank=True)
    capacity = models.PositiveIntegerField(default=1)
    engines = models.JSONField(default=list, help_text='[{"name", "version"}]')
    fetches = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Names of engines of which it downloads the versions that it lacks.",
    )
    os = models.CharField(max_length=20, blank=True)
    arch = models.CharField(max_length=20, blank=True)
    version = models.CharField(max_length=40, blank=True)
    draining = models.BooleanField(default=False, help_text="Takes nothing new.")
    connected_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(db_default=clock.DatabaseNow())

    objects = Agents.as_manager()

    is_connected: bool
    """Of rows read `with_presence`."""
    may_speak: bool
    """Of rows read `with_right_to_speak`."""
    held: list[dict[str, Any]]
    """Of rows read `with_holds`."""

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["pool", "name"], name="agent_name_is_unique"),
            models.CheckConstraint(name="agent_has_slots", condition=Q(capacity__range=(1, 64))),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def holds(self) -> list[Hold]:
        """What it holds, ordered by task; of rows read `with_holds`."""
        return [Hold.read(self.pk, row) for row in self.held]
