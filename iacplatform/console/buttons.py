"""What a person may do with a task now, as buttons; which actions those are, `tasks.actions` says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tasks import plans
from tasks.models import Task
from tasks.states import Phase, Status


@dataclass(frozen=True, kw_only=True)
class Button:
    """One action. `does`: what it will do, in a sentence.

    `asks`: the field that a person may fill in with it; `needs`: whether they must.
    """

    action: str
    label: str
    does: str
    is_danger: bool = False
    asks: str = ""
    hint: str = ""
    needs: bool = False
    is_main: bool = False


_BUTTONS = {
    button.action: button
    for button in (
        Button(
            action="confirm-apply",
            label="Confirm and apply",
            does="Applies exactly this plan, once.",
            asks="apply_description",
            hint="Why (optional)",
        ),
        Button(
            action="retry",
            label="Run again",
            does="Begins a new task of the same kind, with the files and variables of now. This one stays as it is.",
        ),
        Button(action="discard", label="Discard", does="Ends the task. Its plan is never applied.", is_danger=True),
        Button(
            action="mark-failed",
            label="Mark as failed",
            does="Ends the task and lets go of the workspace and of its own state lock. It undoes nothing.",
            is_danger=True,
            asks="reason",
            hint="Why it is over",
            needs=True,
        ),
        Button(
            action="release-lock",
            label="Release the state lock",
            does="Lets go of the lock that a dead run left behind. It is refused while that run may be alive.",
            is_danger=True,
            asks="reason",
            hint="Why it may go",
            needs=True,
        ),
        Button(
            action="unlock",
            label="Unlock the workspace",
            does="Lets every task of the workspace that waits for it go on.",
        ),
        Button(action="cancel", label="Cancel the task", does="Ends it at once: nothing of it runs.", is_danger=True),
        Button(
            action="force-cancel",
            label="Cancel without waiting",
            does="Ends the task now. Its engine may go on for a while; its plan is not used.",
            is_danger=True,
        ),
    )
}
ORDER = tuple(_BUTTONS)
"""The one that moves the task on comes first."""

_RETRIES = {
    Status.CONFIRMED: ("Retry apply", "Looks for a slot again, now. The confirmed plan stays the one that is applied."),
    Status.PENDING: ("Try now", "Looks for a slot again, now, without the rest of a pause."),
    Status.APPLY_PENDING: ("Plan again", "Makes a new plan in this task; it needs a new confirmation."),
    Status.NEEDS_ATTENTION: (
        "Plan again in a new task",
        "Marks this one as failed, lets go of its locks, and makes a new plan in a new task.",
    ),
}
_STOPS = {
    Phase.PLAN: "Asks the engine to stop; the task ends when it has. A plan changes nothing.",
    Phase.APPLY: "Asks the engine once to stop; the task ends when it has. What it has applied until then stays.",
}
_DOUBTS = "Does not wait for the engine. If its apply has begun, nobody knows how far it came: it needs attention then."


def of(task: Task, actions: Iterable[str]) -> list[Button]:
    """Return a button for each action, the first that moves the task on being the main one."""
    named = sorted((action for action in actions if action in _BUTTONS), key=ORDER.index)
    buttons = [_for(task, _BUTTONS[action]) for action in named]
    main = next((button for button in buttons if not button.is_danger), None)
    return [replace(button, is_main=button is main) for button in buttons]


def _for(task: Task, button: Button) -> Button:
    """Return the button in the words that fit where the task stands."""
    status, phase = Status(task.status), task.phase
    if button.action == "retry" and status in _RETRIES:
        label, does = _RETRIES[Status.APPLY_PENDING if plans.is_out_of_reach(task) else status]
        return replace(button, label=label, does=does)
    if button.action == "cancel" and status == Status.RUNNING:
        return replace(button, does=_STOPS[Phase(phase)])
    if button.action == "force-cancel" and phase == Phase.APPLY:
        return replace(button, does=_DOUBTS)
    return button
