"""An attempt that speaks for itself, with its own token, when no socket is open to its agent any more.

So a revoked pool token costs no result: what began while the token was valid is reported to its end. Nothing begins by
this door. An apply that was not permitted yet is refused and goes back to those that any agent may take, as nothing of
it was applied; a permit that was granted already is only said again, because it may have been heard, and a second
permit for somebody else could apply twice.
"""

from django.conf import settings
from django.db import transaction
from django.db.models import Exists

from agents import commands, protocol, reports, work
from agents.models import Agent
from agents.protocol import AskPermit, Cancel, Finished, FromAgent, FromServer, Log, Progress, ProtocolError, Stop
from agents.sessions import Rejected, Session
from iacplatform.base import clock
from iacplatform.base.problems import Forbidden, Invalid, TryAgain
from tasks import attempts
from tasks.errors import AttemptClosed
from tasks.models import Attempt, Task
from tasks.states import Lease, Position, Stage, Status

Words = list[FromServer]
OwnWord = Log | Progress | AskPermit | Finished
"""What an attempt may say; all else is an agent's to say, on its socket."""


def hear(attempt: Attempt, text: str) -> Words:
    """Do what the word in `text` says of this very attempt, and return the answer, with a cancel that waits for it.

    Raises `Invalid` for what is no such word, `Forbidden` for one about another attempt, `AttemptClosed`, `TryAgain`.
    """
    word = _own(attempt, text)
    if attempt.is_over:
        return _late(attempt, word)
    agent = Agent.objects.filter(pk=attempt.agent_id).first()
    if agent is None:
        raise AttemptClosed("The agent of this attempt was deleted; drop it.")
    _keep_alive(attempt)
    answer = _answer(attempt, agent, word)
    if not agent.session:
        work.drain(agent.pk, f"Agent {agent.name} cannot connect any more.")
    return answer


def _late(attempt: Attempt, word: OwnWord) -> Words:
    if not isinstance(word, Log | Finished):
        raise AttemptClosed("This attempt is over: it may only bring the rest of its log, and its result.")
    names = {"agent_id": attempt.agent_id, "agent_name": attempt.agent_name}
    return reports.take_evidence(Session(**names, pool_id="", token_id=0, session=""), word)


def _answer(attempt: Attempt, agent: Agent, word: OwnWord) -> Words:
    if isinstance(word, AskPermit) and (refusal := _refusal(attempt)):
        return refusal
    try:
        return [*reports.handle(_session(agent), word), *_cancel(attempt)]
    except ProtocolError as error:
        raise Invalid(str(error), code="bad_word") from error
    except Rejected as error:
        raise TryAgain("The agent connected just now; say it again.") from error


def _own(attempt: Attempt, text: str) -> OwnWord:
    try:
        word: FromAgent = protocol.parse_from_agent(text)
    except ProtocolError as error:
        raise Invalid(str(error), code="bad_word") from error
    if not isinstance(word, OwnWord):
        raise Invalid("An attempt says log, progress, ask_permit and finished, no more.", code="bad_word")
    if (word.task, word.epoch) != (attempt.task_id, attempt.epoch):
        raise Forbidden("The word is about another attempt than the token.")
    return word


def _keep_alive(attempt: Attempt) -> None:
    """Take the word for a heartbeat of the agent, as long as the attempt holds its slot."""
    held = Task.objects.leased_by(attempt.agent_id).filter(pk=attempt.task_id, epoch=attempt.epoch, lease=Lease.RUNNING)
    beat = {"last_seen_at": clock.DatabaseNow(), "lease_until": clock.In(seconds=settings.AGENT_LEASE_SECONDS)}
    Agent.objects.filter(Exists(held), pk=attempt.agent_id).update(**beat)


def _refusal(attempt: Attempt) -> Words:
    """Take an apply back that was not permitted; no words where there is nothing to take back."""
    with transaction.atomic():
        task, current = attempts.locked(attempt.task_id, attempt.epoch, attempt.agent_id)
        if task.position != Position.APPLYING or current.permitted_at is not None:
            return []
        work.lose(task, attempt.agent_id, f"Agent {attempt.agent_name} may begin nothing any more.")
    return [Stop(task=task.pk, epoch=attempt.epoch, reason="The agent is not let in any more, so it may not apply.")]


def _session(agent: Agent) -> Session:
    return Session(
        agent_id=agent.pk,
        agent_name=agent.name,
        pool_id=agent.pool_id,
        token_id=agent.pool_token_id or 0,
        session=agent.session,
    )


def _cancel(attempt: Attempt) -> Words:
    running = Task.objects.filter(pk=attempt.task_id, epoch=attempt.epoch, status=Status.RUNNING)
    if not running.filter(stage=Stage.CANCELLING).exists():
        return []
    return [Cancel(task=attempt.task_id, epoch=attempt.epoch, grace_seconds=commands.GRACE_SECONDS)]
