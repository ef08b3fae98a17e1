"""What an agent's words do to the rows, and what it is answered. Synchronous; the consumer only carries."""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When

from agents import protocol, sessions
from agents.protocol import (
    Accept,
    AskPermit,
    Finished,
    FromAgent,
    FromServer,
    Heartbeat,
    Leaving,
    Log,
    LogStored,
    Permit,
    PlanFacts,
    Progress,
    ProtocolError,
    Received,
    Start,
    Stop,
)
from agents.sessions import Session
from iacplatform.base.problems import Invalid
from pools.models import Pool
from tasks import attempts, permits, results
from tasks.errors import StaleEpoch
from tasks.models import Attempt, LogChunk, Task
from tasks.permits import Answer
from tasks.results import Result
from tasks.states import Stage, Status

Words = list[FromServer]

log = logging.getLogger(__name__)


def handle(session: Session, word: FromAgent) -> Words:
    """Do what the word says and return the answer. Raises `Rejected`, `ProtocolError`, `DatabaseError`."""
    act = _ACTS.get(type(word))
    if act is None:
        raise ProtocolError("A hello is said once, at the beginning.")
    return act(session, word)


def _heartbeat(session: Session, word: Heartbeat) -> Words:
    gone = sessions.heartbeat(session, word.work)
    return [Stop(task=item.task, epoch=item.epoch, reason="It is not this agent's any more.") for item in gone]


def _accept(session: Session, word: Accept) -> Words:
    try:
        attempt = attempts.accept(word.task, word.epoch, session.agent_id)
    except StaleEpoch as error:
        return [Stop(task=word.task, epoch=word.epoch, reason=error.detail)]
    phase: Any = attempt.phase
    return [Start(task=word.task, epoch=word.epoch, phase=phase, token=attempt.token)]


def _ask_permit(session: Session, word: AskPermit) -> Words:
    try:
        answer = permits.ask(word.task, word.epoch, session.agent_id)
    except StaleEpoch as error:
        return [Stop(task=word.task, epoch=word.epoch, reason=error.detail)]
    if answer is Answer.GRANTED:
        return [Permit(task=word.task, epoch=word.epoch)]
    if answer is Answer.STALE:
        return [Stop(task=word.task, epoch=word.epoch, reason="The plan is stale; a new one will be made.")]
    return []  # a cancel is on its way to the agent


def _progress(session: Session, word: Progress) -> Words:
    current = Task.objects.filter(pk=word.task, epoch=word.epoch, agent_id=session.agent_id, status=Status.RUNNING)
    stage = Case(When(stage=Stage.CANCELLING, then=F("stage")), default=Value(word.stage))
    current.update(stage=stage, progress_done=max(0, word.done), progress_total=max(0, word.total))
    return []


def _log(session: Session, word: Log) -> Words:
    """Store what follows on what is stored; whatever was lost or came twice, the answer says where to go on."""
    attempt = Attempt.objects.filter(task_id=word.task, epoch=word.epoch, agent_id=session.agent_id).first()
    if attempt is None:
        return [Stop(task=word.task, epoch=word.epoch, reason="No such attempt of this agent.")]
    data = _decoded(word.data)
    fresh = data[attempt.log_stored - word.offset :] if word.offset <= attempt.log_stored else b""
    stored = _append(attempt, fresh) if fresh else attempt.log_stored
    return [LogStored(task=word.task, epoch=word.epoch, offset=stored)]


def _append(attempt: Attempt, data: bytes) -> int:
    """Return how much of the log is stored afterwards: by us, or by somebody who was faster."""
    with transaction.atomic():
        mine = Attempt.objects.filter(pk=attempt.pk, log_stored=attempt.log_stored)
        if mine.update(log_stored=F("log_stored") + len(data)):
            LogChunk.objects.create(attempt=attempt, offset=attempt.log_stored, data=data)
            return attempt.log_stored + len(data)
    attempt.refresh_from_db(fields=["log_stored"])
    return attempt.log_stored


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ProtocolError("log.data is not base64.") from error
    if len(data) > protocol.LOG_BATCH_BYTES:
        raise ProtocolError(f"A log batch has {protocol.LOG_BATCH_BYTES} bytes at most.")
    return data


def _finished(session: Session, word: Finished) -> Words:
    if (word.outcome == "planned") != (word.plan is not None):
        raise ProtocolError("finished.plan comes exactly with the outcome planned.")
    kept = Pool.objects.filter(pk=session.pool_id).values_list("reservation_seconds", flat=True).first() or 0
    try:
        _store(session, word, _result(word), kept)
    except StaleEpoch as error:
        log.warning("A result came too late.", extra={"task": word.task, "epoch": word.epoch, "why": error.detail})
    return [Received(task=word.task, epoch=word.epoch)]


def _store(session: Session, word: Finished, result: Result, kept: int) -> None:
    try:
        results.finish(word.task, word.epoch, session.agent_id, result, reservation_seconds=kept)
    except Invalid as error:
        broken = Result(
            outcome="failed",
            exit_code=word.exit_code,
            seconds=word.seconds,
            log_bytes=word.log_bytes,
            error_code="plan_incomplete",
            error_message=error.detail,
        )
        results.finish(word.task, word.epoch, session.agent_id, broken, reservation_seconds=kept)


def _result(word: Finished) -> Result:
    return Result(
        outcome=word.outcome,
        exit_code=word.exit_code,
        seconds=word.seconds,
        log_bytes=max(0, word.log_bytes),
        error_code=word.error_code[:40],
        error_message=word.error_message,
        plan=None if word.plan is None else _plan_columns(word.plan),
    )


def _plan_columns(facts: PlanFacts) -> dict[str, Any]:
    return {**asdict(facts), "changes": asdict(facts.changes)}


def _leaving(session: Session, word: Leaving) -> Words:
    sessions.drain(session)
    return []


_ACTS: Mapping[type[Any], Callable[[Session, Any], Words]] = {
    Heartbeat: _heartbeat,
    Accept: _accept,
    AskPermit: _ask_permit,
    Progress: _progress,
    Log: _log,
    Finished: _finished,
    Leaving: _leaving,
}
