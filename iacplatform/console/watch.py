"""What the platform has to say of itself: whether anybody looks at tasks, and whether any breaks the promise."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents import sweep
from iacplatform.base.models import FAILING, SILENT_SECONDS, Beat
from tasks.models import Task

MOST = 20


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Nobody looks at tasks any more. `since`: the last look; None: there never was one."""

    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class Broken:
    """Tasks that break "reason, owner, next look". `tasks`: the first of them that the person may see."""

    count: int
    tasks: list[Task]


def silence() -> Silence | None:
    """Return since when nobody looks, or None. Asked of the row that every sweep writes: a dead worker shows too."""
    return Silence(since=Beat.objects.last_sweep()) if sweep.is_late(SILENT_SECONDS) else None


def failing() -> list[str]:
    """Return the steps of the sweep that fail each time: somebody looks, and what they should move stands still."""
    names = Beat.objects.failing().order_by("name").values_list("name", flat=True)
    return [name.removeprefix(FAILING) for name in names]


def broken(user: Any) -> Broken | None:
    """Return what the watchdog finds, or None where it finds nothing, as it should."""
    count = Task.objects.breaking_the_promise().count()
    if not count:
        return None
    seen = Task.objects.visible_to(user).breaking_the_promise().select_related("workspace").order_by("id")
    return Broken(count=count, tasks=list(seen[:MOST]))
