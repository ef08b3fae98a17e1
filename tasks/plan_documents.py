"""A task's plan as people may read it."""

import json
from typing import Any

from iacplatform.base.problems import NotFound
from tasks import masking
from tasks.models import Plan, PlanPart, Task
from tasks.models.plan import Part
from workspaces.models import Category


def shown(task: Task) -> dict[str, Any]:
    """Return the current plan's JSON with what is sensitive masked, or raise `NotFound` where there is none."""
    plan = Plan.objects.current_of(task) if task.plan_digest else None
    part = PlanPart.objects.filter(attempt_id=plan.attempt_id, part=Part.JSON).first() if plan else None
    if part is None:
        raise NotFound(f"Task {task.pk} is {task.position.label} and has no plan to show.", code="no_plan")
    return masking.masked(json.loads(part.content()), secrets=_secrets(task))


def _secrets(task: Task) -> dict[str, str]:
    """Return the values that the platform keeps as sensitive, by the input variable that they set, if they set one."""
    sensitive = (each for each in json.loads(task.input.variables()) if each["sensitive"])
    return {_name(each): each["value"] for each in sensitive}


def _name(variable: dict[str, Any]) -> str:
    key: str = variable["key"]
    return key if variable["category"] == Category.TERRAFORM else key.removeprefix("TF_VAR_")
