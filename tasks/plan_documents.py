"""A task's plan as people may read it."""

import json
from typing import Any

from iacplatform.base.problems import NotFound
from tasks import masking
from tasks.errors import PlanUnreadable
from tasks.models import Plan, PlanPart, Task
from tasks.models.plan import Part
from workspaces.models import Category

MISSHAPEN = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What reading raises where a document has another shape than a plan's."""


def shown(task: Task) -> dict[str, Any]:
    """Return the current plan's JSON with what is sensitive masked.

    Raises `NotFound` where there is none, `PlanUnreadable` where what the agent stored is no plan.
    """
    plan = Plan.objects.current_of(task) if task.plan_digest else None
    part = PlanPart.objects.filter(attempt_id=plan.attempt_id, part=Part.JSON).first() if plan else None
    if part is None:
        raise NotFound(f"Task {task.pk} is {task.position.label} and has no plan to show.", code="no_plan")
    try:
        return masking.masked(json.loads(part.content()), secrets=_secrets(task))
    except MISSHAPEN as error:
        raise PlanUnreadable(
            f"What the agent stored as the JSON of task {task.pk}'s plan is none that can be read. Look at the log of "
            "the plan; discard it and plan again with an agent of this release."
        ) from error


def _secrets(task: Task) -> dict[str, str]:
    """Return the values that the platform keeps as sensitive, by the input variable that they set, if they set one."""
    sensitive = (each for each in json.loads(task.input.variables()) if each["sensitive"])
    return {_name(each): each["value"] for each in sensitive}


def _name(variable: dict[str, Any]) -> str:
    key: str = variable["key"]
    return key if variable["category"] == Category.TERRAFORM else key.removeprefix("TF_VAR_")
