"""What a task's page shows of the task's state, gathered once: for the page, and for what the page asks later."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from iacplatform.base import clock
from iacplatform.console import blockers, buttons, history, stages, turns, watch
from iacplatform.console.blockers import Blocker
from iacplatform.console.buttons import Button
from iacplatform.console.stages import Stretch
from iacplatform.console.turns import Sentence
from iacplatform.console.watch import Silence
from tasks import actions
from tasks.models import Attempt, Task

MOST_ATTEMPTS = 50


@dataclass(frozen=True, kw_only=True)
class Face:
    """The state of a task. `version` changes when anything of it does, and once a minute, as it says how long ago.

    `plan_key` changes when the plan, or what may be done with it, does.
    """

    task: Task
    now: datetime
    sentence: Sentence
    blocker: Blocker | None
    buttons: list[Button]
    way: list[Stretch]
    attempts: list[Attempt]
    silence: Silence | None
    version: str
    plan_key: str


def of(task: Task, user: Any) -> Face:
    """Return the task's face for this person."""
    now, open_actions = clock.now(), actions.open_to(task, user)
    attempts = list(task.attempts.order_by("-epoch")[:MOST_ATTEMPTS])[::-1]
    sentence, silence = turns.sentence(task, open_actions), watch.silence()
    return Face(
        task=task,
        now=now,
        sentence=sentence,
        blocker=blockers.of(task),
        buttons=buttons.of(task, open_actions),
        way=stages.of(task, attempts, now),
        attempts=attempts,
        silence=silence,
        plan_key=f"{task.status}:{task.plan_digest}" if task.plan_digest else "",
        version=_version(task, open_actions, sentence.heading, history.mark(task), silence, f"{now:%H:%M}"),
    )


def _version(task: Task, *facts: Any) -> str:
    row = (task.status, task.stage, task.epoch, task.lease, task.lease_expires_at, task.is_stuck, task.plan_digest)
    numbers = (task.progress_done, task.progress_total, [warning["code"] for warning in task.warnings])
    return hashlib.sha256(repr((row, numbers, facts)).encode()).hexdigest()[:16]
