"""What a person may do with a task now, as buttons; which actions those are, `tasks.actions` says."""

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.models import Task
from tasks.states import Status


@dataclass(frozen=True, kw_only=True)
class Button:
    """One action. `asks`: the field that a person may fill in with it; `needs`: whether they must."""

    action: str
    label: str
    is_danger: bool = False
    asks: str = ""
    hint: str = ""
    needs: bool = False
    is_main: bool = False


_CANCEL = "Cancel the task"
_BUTTONS = {
    button.action: button
    for button in (
        Button(
            action="confirm-apply",
            label="Confirm and apply",
            asks="apply_description",
            hint="Why (optional)",
        ),
        Button(action="retry", label="Try again"),
        Button(action="discard", label="Discard", is_danger=True),
        Button(action="mark-failed", label="Mark as failed", is_danger=True, asks="reason", hint="Why", needs=True),
        Button(
            action="release-lock", label="Release the state lock", is_danger=True, asks="reason", hint="Why", needs=True
        ),
        Button(action="unlock", label="Unlock the workspace"),
        Button(action="cancel", label=_CANCEL, is_danger=True),
        Button(action="force-cancel", label="Cancel without waiting", is_danger=True),
    )
}
ORDER = tuple(_BUTTONS)
"""The one that moves the task on comes first."""

_RETRIES = {
    Status.CONFIRMED: "Retry apply",
    Status.PENDING: "Try now",
    Status.APPLY_PENDING: "Plan again",
    Status.NEEDS_ATTENTION: "Plan again in a new task",
}
_AGAIN = "Run again as a new task"


def of(task: Task, actions: Iterable[str]) -> list[Button]:
    """Return a button for each action, the first that moves the task on being the main one."""
    named = sorted((action for action in actions if action in _BUTTONS), key=ORDER.index)
    buttons = [_named(task, _BUTTONS[action]) for action in named]
    main = next((button for button in buttons if not button.is_danger), None)
    return [Button(**{**vars(button), "is_main": button is main}) for button in buttons]


def _named(task: Task, button: Button) -> Button:
    if button.action != "retry":
        return button
    return Button(action="retry", label=_RETRIES.get(Status(task.status), _AGAIN))
