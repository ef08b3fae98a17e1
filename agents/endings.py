"""How an attempt ended, from the agent's word to the task's result; too late for that, it is kept as evidence."""

from dataclasses import asdict
from typing import Any

from django.db import DataError

from agents import logs
from agents.protocol import Finished, PlanFacts, ProtocolError
from agents.sessions import Session
from iacplatform.base.problems import Invalid
from pools.models import Pool
from tasks import late_results, results
from tasks.errors import StaleEpoch
from tasks.results import Result

MOST = 2**31 - 1
"""Largest number that a column keeps."""


def take(session: Session, word: Finished) -> None:
    """Store the result; one whose plan cannot be stored fails its task.

    Raises `ProtocolError`, and `StaleEpoch` for an attempt that never was the agent's.
    """
    if (word.outcome == "planned") != (word.plan is not None):
        raise ProtocolError("finished.plan comes exactly with the outcome planned.")
    if word.log_bytes:
        logs.settle(session.agent_id, word.task, word.epoch)
    try:
        _finish(session, word, _result(word))
    except Invalid as error:
        _finish(session, word, _incomplete(word, error.detail))
    except DataError:
        # Sent again it would be no better, and the task would hang on it for ever.
        _finish(session, word, _incomplete(word, "The agent described its plan in a way that cannot be stored."))


def _finish(session: Session, word: Finished, result: Result) -> None:
    kept_seconds = _kept_seconds(session) if result.plan else 0
    try:
        results.finish(word.task, word.epoch, session.agent_id, result, reservation_seconds=kept_seconds)
    except StaleEpoch:
        late_results.keep(word.task, word.epoch, session.agent_id, result)


def _kept_seconds(session: Session) -> int:
    """Return how long the pool keeps a slot warm for the apply."""
    return Pool.objects.filter(pk=session.pool_id).values_list("reservation_seconds", flat=True).first() or 0


def _result(word: Finished) -> Result:
    return Result(
        outcome=word.outcome,
        error_code=word.error_code[:40],
        error_message=word.error_message,
        plan=None if word.plan is None else _plan_columns(word.plan),
        **_numbers(word),
    )


def _incomplete(word: Finished, message: str) -> Result:
    return Result(outcome="failed", error_code="plan_incomplete", error_message=message, **_numbers(word))


def _numbers(word: Finished) -> dict[str, Any]:
    exit_code = min(max(word.exit_code, -MOST), MOST)
    return {"exit_code": exit_code, "seconds": word.seconds, "log_bytes": max(0, word.log_bytes)}


def _plan_columns(facts: PlanFacts) -> dict[str, Any]:
    return {**asdict(facts), "changes": asdict(facts.changes)}
