"""The stored plan: what a planner uploaded, and whether the state is still the one that it was made for."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from iacplatform.base import encryption
from iacplatform.base.problems import Invalid, Problem
from tasks import reasons
from tasks.models import Attempt, Plan, PlanPart, Task
from tasks.models.plan import Part
from tasks.reasons import Code, WaitReason
from tasks.states import Status
from workspaces.models import StateVersion

NEEDED = (Part.FILE, Part.JSON)


def keep_part(attempt: Attempt, part: str, content: bytes, digest: str) -> None:
    """Store a part of the attempt's plan; the same content again is nothing new. Raises `Invalid`, `Problem` (409)."""
    if hashlib.sha256(content).hexdigest() != digest.lower():
        raise Invalid("The body is not what X-Content-SHA256 says; send it again.", code="digest_mismatch")
    sealed = encryption.seal(content, PlanPart.owner(attempt.pk, part))
    try:
        with transaction.atomic():
            PlanPart.objects.create(
                attempt=attempt, part=part, digest=digest.lower(), size=len(content), sealed_content=sealed
            )
    except IntegrityError:
        if not PlanPart.objects.filter(attempt=attempt, part=part, digest=digest.lower()).exists():
            raise Problem("This part of the plan was stored with another content.", code="part_exists") from None


def keep(attempt: Attempt, facts: dict[str, Any]) -> Plan:
    """Store what the plan of this attempt is bound to. Raises `Invalid` unless its parts were uploaded before."""
    digests = dict(PlanPart.objects.filter(attempt=attempt).values_list("part", "digest"))
    if missing := [part for part in NEEDED if part not in digests]:
        raise Invalid(f"The plan's part {missing[0]} was not uploaded.", code="plan_incomplete")
    if digests[Part.FILE] != facts["digest"]:
        raise Invalid("The plan file that was uploaded has another digest.", code="digest_mismatch")
    return Plan.objects.create(attempt=attempt, task_id=attempt.task_id, **facts)


def is_out_of_reach(task: Task) -> bool:
    """Return whether nobody has been able to apply the confirmed plan for so long that a retry makes a new one.

    As the dispatcher saw it last.
    """
    if task.status != Status.CONFIRMED or task.reason is None or task.reason_code != Code.NO_MATCHING_AGENT:
        return False
    return bool(task.reason["evidence"].get(reasons.RETRY_PLANS_AGAIN))


def is_stale(task: Task) -> bool:
    """Return whether the state moved after the task's current plan was made."""
    return staleness(task) is not None


def staleness(task: Task) -> WaitReason | None:
    """Return the reason that says so when the state moved after the task's current plan was made."""
    plan = Plan.objects.current_of(task)
    return staleness_of(plan, task.workspace_id) if plan is not None else None


def staleness_of(plan: Plan, workspace_id: str) -> WaitReason | None:
    """Return the reason that says so when the state moved after this plan was made."""
    state = state_now(workspace_id)
    if not is_outdated(plan, state):
        return None
    return reasons.plan_stale({"planned_serial": plan.serial, "serial": state[1], "planned_lineage": plan.lineage})


def misjudged() -> Iterator[Task]:
    """Yield tasks whose reason says wrongly whether their plan is stale: the news of a state was lost. One query."""
    for task in _with_plan_and_state(Task.objects.filter(status=Status.APPLY_PENDING)):
        of_plan, of_state = Plan(lineage=task.plan_lineage, serial=task.plan_serial), _state(task)
        if is_outdated(of_plan, of_state) != (task.reason_code == Code.PLAN_STALE):
            yield task


def _with_plan_and_state(rows: QuerySet[Task]) -> QuerySet[Any]:
    current = Plan.objects.filter(task=OuterRef("pk"), digest=OuterRef("plan_digest")).order_by("-attempt_id")
    newest = StateVersion.objects.filter(workspace=OuterRef("workspace")).order_by("-serial")
    return rows.select_related("workspace").annotate(
        plan_lineage=Subquery(current.values("lineage")[:1]),
        plan_serial=Subquery(current.values("serial")[:1]),
        state_lineage=Subquery(newest.values("lineage")[:1]),
        state_serial=Subquery(newest.values("serial")[:1]),
    )


def _state(task: Any) -> tuple[str, int]:
    return task.state_lineage or "", task.state_serial or 0


def state_now(workspace_id: str) -> tuple[str, int]:
    """Return lineage and serial of the newest state; empty and 0 when there is none."""
    newest = StateVersion.objects.filter(workspace_id=workspace_id).order_by("-serial").values_list("lineage", "serial")
    return newest.first() or ("", 0)


def is_outdated(plan: Plan, state: tuple[str, int]) -> bool:
    """Return whether a plan no longer fits this lineage and serial."""
    lineage, serial = state
    if not lineage:
        return plan.serial != 0
    return (plan.lineage, plan.serial) != (lineage, serial)
