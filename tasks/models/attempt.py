"""One try at one phase, by one agent; known by its task and epoch."""

from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core import signing
from django.db import models
from django.db.models import F

from iacplatform.base import clock, rights
from tasks.models.task import Task
from tasks.states import Phase

TOKEN_PREFIX = "iaca_"  # noqa: S105 - a prefix for secret scanners
LONGEST_LOG_BYTES = 129 * 1024 * 1024
"""Of an attempt's whole log. Agents keep 128 MiB of it and say so at its end; whoever sends more is none of ours, or
means harm, and may do so late as well: an attempt's token has no end."""

_SIGNER = signing.Signer(salt="tasks.attempt", sep=".")


class Attempts(models.QuerySet["Attempt"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def locked(self, *conditions: models.Exists, **which: Any) -> "Attempt | None":
        """Return the attempt with its task, both rows locked: first the task's, as by all who lock both."""
        rows = self.select_related("task__workspace").select_for_update(of=("task", "self"), no_key=True)
        return rows.filter(*conditions, **which).first()

    def with_epoch_now(self) -> Self:
        """Add `epoch_now`: the task's, which is another one when the task has gone on without the attempt."""
        return self.annotate(epoch_now=F("task__epoch"))


class Attempt(models.Model):
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="attempts")
    epoch = models.PositiveIntegerField()
    phase = models.CharField(max_length=10, choices=Phase)
    number = models.PositiveIntegerField(help_text="Counts from 1 within the phase.")
    agent_id = models.CharField(max_length=40)
    agent_name = models.CharField(max_length=90)
    pod_name = models.CharField(max_length=253, blank=True)
    slot = models.PositiveIntegerField()
    offered_at = models.DateTimeField(db_default=clock.DatabaseNow())
    accepted_at = models.DateTimeField(null=True)
    permitted_at = models.DateTimeField(null=True, help_text="When the agent was allowed to start the apply.")
    ended_at = models.DateTimeField(null=True)
    state_released_at = models.DateTimeField(
        null=True, help_text="When a person let go of its state lock: from then on it writes no state."
    )
    kept_until = models.DateTimeField(null=True, help_text="For how long its slot was to be kept for the apply.")
    outcome = models.CharField(max_length=20, blank=True)
    cause = models.TextField(blank=True, help_text="Why it ended without a result.")
    exit_code = models.IntegerField(null=True)
    seconds = models.FloatField(null=True)
    log_stored = models.PositiveBigIntegerField(default=0, help_text="Bytes of its log that are stored.")
    log_held = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Of the bytes stored, how many at the end may begin a sensitive value: not shown yet.",
    )
    log_bytes = models.PositiveBigIntegerField(null=True, help_text="Bytes of its whole log; null until it ended.")

    objects = Attempts.as_manager()

    epoch_now: int
    """Of rows read `with_epoch_now`."""

    class Meta:
        ordering = ["epoch"]
        constraints = [models.UniqueConstraint(fields=["task", "epoch"], name="attempt_epoch_is_unique")]
        indexes = [
            models.Index(fields=["agent_id", "accepted_at"], name="attempt_of_agent"),
            models.Index(
                fields=["agent_id", "offered_at"], name="attempt_lapsed", condition=models.Q(outcome="lapsed")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.phase} {self.number} of task {self.task_id}"

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or its task has gone on without it: what it brings from now on is evidence."""
        return self.ended_at is not None or self.task.epoch != self.epoch

    @property
    def is_log_whole(self) -> bool:
        """Whether all that the agent announced is stored. Of a lost agent no more is expected, though more may come."""
        return self.ended_at is not None and self.log_stored >= min(self.log_bytes or 0, LONGEST_LOG_BYTES)

    @property
    def log_shown(self) -> int:
        """Bytes of its log that people may see: the beginning of what may be a secret waits for the rest of it."""
        return self.log_stored if self.is_log_whole else self.log_stored - self.log_held

    def shown(self, offset: int, data: bytes) -> bytes:
        """Return what people may see of `data`, which is stored from `offset` on.

        Where the rest of what may be a secret is no longer expected, its beginning is covered; so no half of one is
        ever shown, also when a lost agent brings the other half one day.
        """
        safe = max(0, self.log_stored - self.log_held - offset)
        may_be_secret = data[safe : max(safe, self.log_shown - offset)]
        return data[:safe] + b"*" * len(may_be_secret)

    @property
    def token(self) -> str:
        """The attempt's own token; asking again gives the same, and it is stored nowhere."""
        return TOKEN_PREFIX + _SIGNER.sign(str(self.pk))

    @classmethod
    def of_token(cls, text: str) -> "Attempt | None":
        """Return the attempt that a token was made for, or None when it is none of ours."""
        try:
            return cls.objects.select_related("task").filter(pk=_SIGNER.unsign(text.removeprefix(TOKEN_PREFIX))).first()
        except (signing.BadSignature, ValueError):
            return None
