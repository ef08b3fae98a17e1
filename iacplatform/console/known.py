"""What is known of a task that was lost, and what came of it late: shown before anybody decides, and afterwards."""

from dataclasses import dataclass, field

from agents import aftermath, evidence
from agents.aftermath import Aftermath
from agents.evidence import Evidence
from iacplatform.base import refusals
from iacplatform.base.encryption import Unreadable
from iacplatform.base.problems import TryAgain
from tasks.models import Task


@dataclass(frozen=True, kw_only=True)
class Known:
    """`aftermath`: of a task that needs attention; `evidence`: what came late; `fault`: why there is no more to see."""

    aftermath: Aftermath | None = None
    evidence: list[Evidence] = field(default_factory=list)
    fault: str = ""


def of(task: Task) -> Known | None:
    """Return what is known, or None where there is nothing to show."""
    try:
        found = aftermath.of(task)
    except (Unreadable, TryAgain) as error:
        # What the engine saved cannot be opened, or not now; the task and its buttons are shown all the same.
        return Known(evidence=evidence.of(task), fault=_words(error))
    late = found.evidence if found else evidence.of(task)
    return Known(aftermath=found, evidence=late) if found or late else None


def _words(error: Exception) -> str:
    problem = refusals.as_problem(error)
    return problem.detail if problem else str(error)
