"""Tasks and plans in plain words."""

import json
from collections.abc import Iterator
from typing import Any

SIGNS = {("create",): "+", ("update",): "~", ("delete",): "-", ("read",): "<="}
REPLACED = "-/+"
NOTHING = ("no-op",)
TURNS = {"machine": "the platform", "person": "you", "config": "the configuration", "cluster": "the cluster"}


def state(task: dict[str, Any]) -> str:
    """Return where a task stands: its status, its stage with the progress, and why it waits."""
    stage = f" ({task['stage']}{_progress(task)})" if task.get("stage") else ""
    reason = task.get("wait_reason")
    return f"{task['status']}{stage}{_why(reason) if reason else ''}"


def _progress(task: dict[str, Any]) -> str:
    total = task.get("progress_total") or 0
    return f", {task.get('progress_done') or 0} of {total}" if total else ""


def _why(reason: dict[str, Any]) -> str:
    turn = TURNS.get(reason["turn"], reason["turn"])
    return f": {reason['message']} Next: {turn}."


def plan(changes: dict[str, int], content: dict[str, Any]) -> Iterator[str]:
    """Give the lines of a plan's summary; `content` is `terraform show -json` of it."""
    yield f"{changes['add']} to add, {changes['change']} to change, {changes['destroy']} to destroy"
    for change in content.get("resource_changes", []):
        actions = tuple(change["change"]["actions"])
        if actions != NOTHING:
            yield f"{SIGNS.get(actions, REPLACED):>3} {change['address']}"


def outputs(content: dict[str, Any]) -> Iterator[str]:
    """Give the lines of a state's outputs; sensitive ones keep their values to themselves."""
    for name, output in sorted(content.get("outputs", {}).items()):
        yield f"{name} = {'(sensitive)' if output.get('sensitive') else json.dumps(output['value'])}"
