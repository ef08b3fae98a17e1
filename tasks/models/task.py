"""One run of an engine for a workspace. Its status moves only through `tasks.moves`."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from iacplatform.base import clock, encryption
from tasks import reasons, states, warnings
from tasks.models.querysets import Tasks
from tasks.states import Lease, Phase, Position, Status, TaskType
from workspaces.models import Configuration, Workspace

_NAMES = {
    "final": sorted(states.FINAL),
    "live": sorted(states.LIVE),
    "waits": sorted(states.LIVE - {Status.RUNNING}),
    "active": sorted(states.ACTIVE),
    "changing": sorted(states.CHANGING),
    "runnable": sorted(states.RUNNABLE),
}
_HAS_LEASE = ~Q(lease=Lease.NONE)
_OWNED = Q(slot__isnull=False) & ~Q(agent_id="")


class Task(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="tasks")
    configuration = models.ForeignKey(Configuration, on_delete=models.PROTECT, related_name="tasks")
    task_type = models.CharField(max_length=20, choices=TaskType, default=TaskType.PLAN_AND_APPLY)
    description = models.TextField(blank=True, max_length=2000)
    auto_apply = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="created_tasks"
    )
    retried_from = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="retries",
        help_text="The ended task that this one does again.",
    )
    created_at = models.DateTimeField(db_default=clock.DatabaseNow())
    updated_at = models.DateTimeField(db_default=clock.DatabaseNow())
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    status = models.CharField(max_length=20, choices=Status)
    stage = models.CharField(max_length=20, blank=True)
    phase = models.CharField(max_length=10, choices=Phase, blank=True)
    epoch = models.PositiveIntegerField(default=0, help_text="Grows with every offer and every end of a lease.")
    attempt = models.PositiveIntegerField(default=0, help_text="Attempts at the phase so far.")
    retry_count = models.PositiveIntegerField(default=0, help_text="New plans because the confirmed one was stale.")
    max_retries = models.PositiveIntegerField(default=3)

    lease = models.CharField(max_length=10, choices=Lease, blank=True, default=Lease.NONE)
    agent_id = models.CharField(max_length=40, blank=True)
    pod_name = models.CharField(max_length=253, blank=True)
    slot = models.PositiveIntegerField(null=True)
    lease_expires_at = models.DateTimeField(null=True)

    reason = models.JSONField(null=True)
    reason_code = models.CharField(max_length=40, blank=True)
    reason_since = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True, help_text="Back-off of a retry.")

    plan_digest = models.CharField(max_length=64, blank=True)
    plan_count = models.PositiveIntegerField(default=0)
    changes = models.JSONField(null=True)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    apply_description = models.TextField(blank=True, max_length=2000)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="confirmed_tasks"
    )
    confirmed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True, help_text="When a person asked to cancel it.")
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)

    objects = Tasks.as_manager()

    # Of rows read `with_outlook`, all of one moment:
    is_stuck: bool
    is_silent: bool = False
    """Whether the sweep should have looked at it, and did not."""
    last_look: datetime | None = None
    """When the sweep last looked at every task."""
    seen_at: datetime | None = None
    """When the row was read, by the database's clock; None: without its outlook."""
    begun_at: datetime | None = None
    """When the agent accepted what runs now; this and the next ones only while it runs."""
    output_at: datetime | None = None
    """When the last piece of log of what runs now arrived."""
    agent_seen_at: datetime | None = None
    agent_lease_until: datetime | None = None

    class Meta:
        ordering = ["-id"]
        permissions = [("confirm_task", "Can confirm and discard plans"), ("recover_task", "Can recover lost tasks")]
        constraints = [
            models.UniqueConstraint(fields=["agent_id", "slot"], name="task_per_slot", condition=_HAS_LEASE),
            models.UniqueConstraint(
                fields=["workspace"],
                name="task_per_workspace",
                condition=Q(status__in=_NAMES["active"], task_type__in=_NAMES["changing"]),
            ),
            models.UniqueConstraint(
                fields=["retried_from"], name="task_has_one_live_retry", condition=Q(status__in=_NAMES["live"])
            ),
            models.CheckConstraint(
                name="task_runs_on_an_agent",
                condition=~Q(status="running")
                | (_OWNED & Q(lease="running", epoch__gt=0, deadline__isnull=False) & ~Q(phase="")),
            ),
            models.CheckConstraint(name="task_lease_has_an_owner", condition=Q(lease="") | _OWNED),
            models.CheckConstraint(
                name="task_lease_fits_its_status",
                condition=Q(lease="")
                | Q(lease="offered", status__in=_NAMES["runnable"], lease_expires_at__isnull=False)
                | Q(lease="reserved", status__in=["apply_pending", "confirmed"], lease_expires_at__isnull=False)
                | Q(lease="running", status__in=["running", "needs_attention"]),
            ),
            models.CheckConstraint(
                name="task_waits_for_a_reason",
                condition=(
                    Q(status__in=_NAMES["waits"], reason__isnull=False, next_check_at__isnull=False)
                    & ~Q(reason_code="")
                )
                | (~Q(status__in=_NAMES["waits"]) & Q(reason=None, reason_code="")),
            ),
            models.CheckConstraint(
                name="task_confirmed_by_plan",
                condition=~Q(status__in=["confirmed", "applied"])
                | (Q(confirmed_at__isnull=False) & ~Q(plan_digest="")),
            ),
            models.CheckConstraint(
                name="task_completed_when_final",
                condition=Q(status__in=_NAMES["final"], completed_at__isnull=False)
                | (~Q(status__in=_NAMES["final"]) & Q(completed_at=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "id"], name="task_live", condition=~Q(status__in=_NAMES["final"])),
            models.Index(fields=["id"], name="task_runnable", condition=Q(status__in=_NAMES["runnable"])),
            models.Index(fields=["agent_id"], name="task_leased", condition=_HAS_LEASE),
            models.Index(fields=["workspace", "-id"], name="task_of_workspace"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def position(self) -> Position:
        """Where it stands in the table of moves."""
        return states.position(self.status, self.phase)

    @property
    def is_final(self) -> bool:
        return self.status in states.FINAL

    @property
    def is_changing(self) -> bool:
        """Whether its type may change things, so that it queues and locks."""
        return self.task_type in states.CHANGING

    @property
    def wait_reason(self) -> dict[str, Any] | None:
        """Why it waits, in the contract's shape; None while it runs and when it is final."""
        if self.reason is None or self.reason_since is None or self.next_check_at is None:
            return None
        next_check_at = reasons.next_check(self.reason, self.next_check_at, self.last_look)
        shown = reasons.shown(self.reason, since=self.reason_since, next_check_at=next_check_at, deadline=self.deadline)
        return reasons.unwatched(shown, self.last_look) if self.is_silent else shown

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """What is not as it should be, though the task is not stuck yet: `{"code", "message", "since"}` for each.

        Of rows read `with_outlook`; others have none.
        """
        return warnings.of(self)

    def log_fields(self) -> dict[str, Any]:
        """Return the facts that a log line about this task carries."""
        return {"task": self.pk, "workspace": self.workspace_id, "status": self.status, "epoch": self.epoch}


class TaskInput(models.Model):
    """The values that a task was created with, sealed: later changes of variables do not reach it."""

    task = models.OneToOneField(Task, on_delete=models.CASCADE, primary_key=True, related_name="input")
    sealed_variables = models.BinaryField(editable=False)

    def __str__(self) -> str:
        return f"input of {self.task_id}"

    @staticmethod
    def owner(task_id: int) -> str:
        """Return what a task's variables are sealed for."""
        return f"tasks.input:{task_id}"

    def variables(self) -> bytes:
        """Return the JSON list of variables, for the task's agent only."""
        return encryption.unseal(self.sealed_variables, self.owner(self.task_id))
