"""A time in which nothing was heard of an agent, longer than heartbeats may be late; never a row for each of them."""

from typing import Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import Q

from agents.models.agent import Agent
from iacplatform.base import rights


class Cause(models.TextChoices):
    """What the end of the silence, or giving the agent up, says about it."""

    LATE = "late", "its connection stayed open, but no heartbeat arrived or could be stored"
    RECONNECTED = "connection_lost", "its connection was lost, and it came back"
    REPLACED = "session_replaced", "its connection was dead without being closed, and a new one took over"
    NAME_TAKEN = "name_taken", "it never came back: another agent took its name"
    GIVEN_UP = "lease_lost", "it was given up when its lease ended"
    OURS = "outage", "the platform itself was not at work, and heard no agent; this one is not to blame"


class Silences(models.QuerySet["Silence"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)


class Silence(models.Model):
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="silences", db_index=False)
    silent_from = models.DateTimeField(help_text="The last heartbeat before it.")
    heard_at = models.DateTimeField(null=True, help_text="Null: not heard of again.")
    cause = models.CharField(max_length=20, choices=Cause)

    objects = Silences.as_manager()

    class Meta:
        ordering = ["-silent_from"]
        constraints = [
            models.UniqueConstraint(fields=["agent"], name="agent_is_silent_once", condition=Q(heard_at=None))
        ]
        indexes = [
            models.Index(fields=["agent", "silent_from"], name="silence_of_agent"),
            models.Index(fields=["silent_from"], name="silence_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} silent from {self.silent_from:%Y-%m-%d %H:%M:%S}"
