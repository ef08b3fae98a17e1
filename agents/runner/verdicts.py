"""How a phase ended, in the protocol's words and in sentences for people."""

import signal
from dataclasses import dataclass, replace

from agents.protocol import Outcome, Phase, PlanFacts
from agents.runner import diagnostics
from agents.runner.control import Control, Ending
from agents.runner.errors import PhaseFailed
from agents.runner.masking import Masker
from agents.runner.steps import Step
from agents.runner.workplace import Workplace

_STALE = {"Saved plan is stale", "Saved plan does not match the given state"}
"""Terraform's refusals because the state moved after the plan; nothing was applied."""

SAID_BY_ENGINE = {"engine_failed", "plan_stale"}
"""Error codes whose message is in the log already, since the engine wrote it."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The end of a phase. `exit_code` is the engine's last; 0 where none was started."""

    outcome: Outcome
    exit_code: int = 0
    error_code: str = ""
    error_message: str = ""
    plan: PlanFacts | None = None


def of_failed_step(place: Workplace, step: Step) -> Verdict:
    """Return the verdict on a phase whose engine did not end well."""
    if place.control.ending:
        return _ended(place.phase, place.control, f"during {step.name}", step)
    words = _words(step, place.masker)
    if step.exit_code < 0:
        return _failed("killed", "engine_killed", f"{place.binary.engine.name} {_killed(step)} {words}".strip(), step)
    if step.name == "apply" and _STALE & set(step.reading.summaries):
        return _failed("stale", "plan_stale", words, step)
    return _failed("failed", "engine_failed", words, step)


def of_orphan(place: Workplace, step: Step) -> Verdict | None:
    """Return the verdict on an apply that nobody waited for; None where its own words prove none."""
    if step.reading.has_applied:
        return Verdict(outcome="applied")
    if step.was_killed:
        return of_failed_step(place, step)
    return of_failed_step(place, replace(step, exit_code=1)) if step.reading.errors else None


def of_ending(phase: Phase, control: Control) -> Verdict:
    """Return the verdict on a phase that was ended while no engine ran."""
    is_stopped_plan = control.ending is Ending.STOPPED and phase == "plan"  # whose upload is dropped
    return _ended(phase, control, "before its end" if is_stopped_plan else f"before {phase} was started", None)


def of_failure(failure: PhaseFailed) -> Verdict:
    """Return the verdict on a phase that could not go on."""
    return Verdict(outcome="failed", error_code=failure.code, error_message=diagnostics.joined([str(failure)]))


def _ended(phase: Phase, control: Control, when: str, step: Step | None) -> Verdict:
    exit_code = step.exit_code if step else 0
    force = " It did not end in its grace time and was killed." if step and step.was_killed else ""
    if control.ending is Ending.CANCELLED:
        message = f"Cancelled {when}.{force}{_consequence(phase, step)}"
        return Verdict(outcome="cancelled", exit_code=exit_code, error_code="cancelled", error_message=message)
    if control.ending is Ending.STOPPED:
        message = f"Stopped {when}: it was not this agent's any more.{force}{_consequence(phase, step)}"
        return Verdict(outcome="cancelled", exit_code=exit_code, error_code="stopped", error_message=message)
    if control.ending is Ending.OUTGROWN:
        limit = "Its folder on the agent grew beyond what one task may take there (IAC_AGENT_TASK_MIB)"
        remedy = "Raise it there, or let the task write less."
        message = f"{limit}, {when}.{force}{_consequence(phase, step)} {remedy}"
        return Verdict(outcome="failed", exit_code=exit_code, error_code="folder_too_large", error_message=message)
    message = f"The time for the {phase} was over {when}.{force}{_consequence(phase, step)}"
    return Verdict(outcome="failed", exit_code=exit_code, error_code=f"{phase}_timeout", error_message=message)


def _consequence(phase: Phase, step: Step | None) -> str:
    if phase == "plan":
        return ""
    if step is None or step.name != "apply":
        return " Nothing was applied."
    made = step.reading.done - step.reading.refused
    return f" {made} of {step.reading.total} changes had been made; the log names them."


def _failed(outcome: Outcome, code: str, message: str, step: Step) -> Verdict:
    return Verdict(outcome=outcome, exit_code=step.exit_code, error_code=code, error_message=message)


def _words(step: Step, masker: Masker) -> str:
    """Return terraform's own words; masked before they are cut, so that no value is cut in two."""
    errors = step.reading.errors or [diagnostics.from_text(step.reading.plain)]
    text = diagnostics.joined([masker.mask(error) for error in errors])
    return text or f"{step.name} ended with exit status {step.exit_code} and no word why."


def _killed(step: Step) -> str:
    try:
        name = signal.Signals(-step.exit_code).name
    except ValueError:
        name = "unknown"
    return (
        f"was killed by signal {-step.exit_code} ({name}) during {step.name}; when memory ran out, give the agent more."
    )
