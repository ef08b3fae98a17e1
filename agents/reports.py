"""What an agent's words do to the rows, and what it is answered. Synchronous; the consumer only carries."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Case, F, Value, When

from agents import endings, inventory, logs, sessions
from agents.endings import MOST
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
    Progress,
    ProtocolError,
    Received,
    Start,
    Stop,
)
from agents.sessions import Session
from tasks import attempts, permits
from tasks.errors import StaleEpoch
from tasks.models import Task
from tasks.permits import Answer
from tasks.states import Stage, Status

Words = list[FromServer]

log = logging.getLogger(__name__)


def handle(session: Session, word: FromAgent) -> Words:
    """Do what the word says and return the answer. Raises `Rejected`, `ProtocolError`, `DatabaseError`."""
    act = _ACTS.get(type(word))
    if act is None:
        raise ProtocolError("A hello is said once, at the beginning.")
    if isinstance(word, AskPermit | Progress | Leaving):
        sessions.demand_open(session)
    return _done(act, session, word)


def take_evidence(session: Session, word: Log | Finished) -> Words:
    """Do what the word says of an attempt, and return the answer: what was done counts, whoever speaks by now."""
    return _done(_ACTS[type(word)], session, word)


def _done(act: Callable[[Session, Any], Words], session: Session, word: Any) -> Words:
    try:
        return act(session, word)
    except StaleEpoch as error:
        return _refused(word, error)


def _refused(word: Any, error: StaleEpoch) -> Words:
    """What is of an old epoch moves nothing; the agent may drop the attempt."""
    log.info("A word came too late.", extra={"task": word.task, "epoch": word.epoch, "why": error.detail})
    if isinstance(word, Finished):
        return [Received(task=word.task, epoch=word.epoch)]
    return [Stop(task=word.task, epoch=word.epoch, reason=error.detail)]


def _heartbeat(session: Session, word: Heartbeat) -> Words:
    gone = sessions.heartbeat(session, word.work)
    if word.engines is not None:
        inventory.renew(session, word.engines)
    return [Stop(task=item.task, epoch=item.epoch, reason="It is not this agent's any more.") for item in gone]


def _accept(session: Session, word: Accept) -> Words:
    try:
        attempt = attempts.accept(word.task, word.epoch, session.agent_id, sessions.may_speak(session))
    except StaleEpoch:
        sessions.demand_open(session)
        sessions.demand_token(session)
        raise
    phase: Any = attempt.phase
    return [Start(task=word.task, epoch=word.epoch, phase=phase, token=attempt.token)]


def _ask_permit(session: Session, word: AskPermit) -> Words:
    answer = permits.ask(word.task, word.epoch, session.agent_id)
    if answer is Answer.GRANTED:
        return [Permit(task=word.task, epoch=word.epoch)]
    if answer is Answer.STALE:
        return [Stop(task=word.task, epoch=word.epoch, reason="The plan is stale; a new one will be made.")]
    stopping = Task.objects.filter(pk=word.task, epoch=word.epoch, stage=Stage.CANCELLING)
    if stopping.exists():
        return []  # a cancel is on its way to the agent
    return [Stop(task=word.task, epoch=word.epoch, reason="Nothing is to be applied any more.")]


def _progress(session: Session, word: Progress) -> Words:
    current = Task.objects.filter(pk=word.task, epoch=word.epoch, agent_id=session.agent_id, status=Status.RUNNING)
    stage = Case(When(stage=Stage.CANCELLING, then=F("stage")), default=Value(word.stage))
    done, total = (min(max(0, number), MOST) for number in (word.done, word.total))
    current.update(stage=stage, progress_done=done, progress_total=total)
    return []


def _log(session: Session, word: Log) -> Words:
    stored = logs.store(session.agent_id, word)
    answer = LogStored(task=word.task, epoch=word.epoch, offset=stored.offset)
    return [answer, _over(word)] if stored.is_late else [answer]


def _over(word: Log) -> Stop:
    return Stop(task=word.task, epoch=word.epoch, reason="It is over; what it still says is kept as evidence.")


def _finished(session: Session, word: Finished) -> Words:
    endings.take(session, word)
    return [Received(task=word.task, epoch=word.epoch)]


def _leaving(session: Session, word: Leaving) -> Words:
    sessions.leave(session)
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
