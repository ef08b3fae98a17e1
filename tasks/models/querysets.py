"""The words in which tasks are asked for."""

from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, Concat

from iacplatform.base import rights
from iacplatform.base.prepared import Given
from tasks import states
from tasks.models import outlook
from tasks.reasons import Code, Turn
from tasks.states import Lease, Status
from workspaces.models.workspace import pool_now

if TYPE_CHECKING:
    from tasks.models.task import Task

_NONE = Value("", output_field=models.TextField())


class Tasks(models.QuerySet["Task"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what `user` may see."""
        return rights.narrow(self, user)

    def locked(self, task_id: int) -> "Task":
        """Return the task with its row locked, so that what is decided from it still holds when it is written."""
        return self.select_related("workspace").select_for_update(of=("self",), no_key=True).get(pk=task_id)

    def live(self) -> Self:
        """Narrow to tasks that are not final."""
        return self.exclude(status__in=states.FINAL)

    def changing(self) -> Self:
        """Narrow to tasks whose type may change things."""
        return self.filter(task_type__in=states.CHANGING)

    def runnable(self) -> Self:
        """Narrow to tasks that only lack capacity and hold no offer."""
        return self.filter(status__in=states.RUNNABLE).exclude(lease=Lease.OFFERED)

    def with_pool(self) -> Self:
        """Add `pool_now`: the pool that the workspace names at this moment; null where it names none."""
        return self.annotate(pool_now=pool_now("workspace__"))

    def for_pool(self, pool_id: str | models.OuterRef | Given | None) -> Self:
        """Narrow to tasks of the workspaces that name this pool now; None: those whose workspace names none."""
        return self.with_pool().filter(pool_now=pool_id) if pool_id else self.with_pool().filter(pool_now=None)

    def pool_ids(self) -> set[str | None]:
        """Return the pools that these tasks' workspaces name now."""
        named = self.with_pool().order_by().values_list("pool_now", flat=True)  # type: ignore[misc]
        return set(named.distinct())

    def leased_by(self, agent_id: str | models.OuterRef) -> Self:
        """Narrow to tasks that hold a slot of this agent."""
        return self.exclude(lease=Lease.NONE).filter(agent_id=agent_id)

    def in_order(self) -> Self:
        """Sort as they are dispatched: applies before plans, then by age."""
        return self.order_by(models.Case(models.When(status=Status.CONFIRMED, then=0), default=1), "id")

    def misplaced(self) -> Self:
        """Narrow to tasks that are not where their workspace's lock and queue would have them, or say so wrongly."""
        unlocked = Q(workspace__locked_by="")
        unheld = unlocked & Q(status=Status.NEEDS_ATTENTION)
        held_back = ~unlocked & (Q(status=Status.PENDING) | Q(lease=Lease.OFFERED))
        in_place = (unlocked & _says_who_is_before()) | (~unlocked & _says_who_locked())
        waits = Q(status=Status.WAITING) & ~in_place
        blocker = Coalesce(KeyTextTransform("id", KeyTransform("blocker", "reason")), _NONE)
        return self.live().changing().alias(blocker=blocker, earlier=_earlier()).filter(unheld | held_back | waits)

    def breaking_the_promise(self) -> Self:
        """Narrow to tasks that break "reason, owner, next look": the watchdog's query. Its answer is always empty."""
        waits = ~Q(status__in=[*states.FINAL, Status.RUNNING])
        no_reason = waits & (Q(reason__isnull=True) | Q(reason_code="") | Q(reason_since=None) | Q(next_check_at=None))
        no_owner = Q(status=Status.RUNNING) & (Q(agent_id="") | Q(slot=None) | Q(next_check_at=None))
        bounded = [Status.RUNNING, Status.PENDING, Status.CONFIRMED]
        return self.filter(no_reason | no_owner | Q(status__in=bounded, deadline=None))

    def with_outlook(self) -> Self:
        """Add what a task's face shows beside its row: whether it is stuck, who looked last, and the people's names."""
        named = self.select_related("workspace__state_lock", "created_by", "confirmed_by")
        return named.annotate(**outlook.columns())

    def stuck(self) -> Self:
        """Narrow to tasks that cannot move by themselves, or should have moved by now (issue: never silently stuck)."""
        return self.filter(outlook.is_stuck())

    def needing_somebody(self) -> Self:
        """Narrow to tasks that go on only when a person does something: read a plan, decide, or mend what is stuck.

        Of a queue only the first: the others need nobody but that one.
        """
        persons_turn = Q(status=Status.APPLY_PENDING) | (Q(reason__turn=Turn.PERSON) & ~Q(status=Status.WAITING))
        first_in_line = Q(status=Status.WAITING, reason__turn=Turn.PERSON, earlier="")
        # `live` stands apart, so that the partial index of live tasks serves all of it.
        return self.live().alias(earlier=_earlier()).filter(persons_turn | first_in_line | outlook.is_stuck())


def _says_who_is_before() -> Q:
    return Q(reason_code=Code.QUEUED_BEHIND, blocker=F("earlier"))


def _says_who_locked() -> Q:
    by_task = Q(workspace__locked_by=Concat(Value("task:"), F("blocker"), output_field=models.TextField()))
    return Q(reason_code=Code.WORKSPACE_LOCKED) & (Q(workspace__locked_by=F("blocker")) | by_task)


def _earlier() -> models.Expression:
    """Return the number, as text, of the task before the one that a query is about; empty: it is the first."""
    task: type[Task] = apps.get_model("tasks", "Task")
    queue = task.objects.filter(workspace_id=models.OuterRef("workspace_id"), id__lt=models.OuterRef("pk"))
    before = queue.live().changing().order_by("-id").values("pk")[:1]
    return Coalesce(Cast(models.Subquery(before), models.TextField()), _NONE)
