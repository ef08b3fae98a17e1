"""What agents, the dispatcher and the sweep do at once, in every order of their statements and commits.

Each test names the outcomes that are right. Any other one, and one of them that no order leads to, fails it.
"""

from base64 import b64encode
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from knox.models import AuthToken

from agents import commands, covering, dispatcher, logs, sessions, sweep
from agents.commands import Told
from agents.models import Agent
from agents.protocol import Log
from agents.sessions import Rejected
from iacplatform.base import clock
from pools.models import Pool, PoolToken
from tasks import attempts, confirmation, results
from tasks.attempts import Place
from tasks.models import Attempt, LogChunk, Task
from tasks.results import Result
from tasks.states import Event, Lease, Status
from tests import factories as rows
from tests.agents.scenes import hello
from tests.races.pairs import every_order, word
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

APPLIED = Result(outcome="applied", exit_code=0, seconds=1.5, log_bytes=0)


def events(task: Task, *kinds: Event) -> tuple[str, ...]:
    return tuple(task.events.filter(event__in=kinds).values_list("event", flat=True))


def leases() -> tuple[str, ...]:
    return tuple(Task.objects.order_by("id").values_list("lease", flat=True))


def offer(task: Task, place: Place) -> None:
    attempts.offer(deepcopy(task), place)  # an offer changes the row that it is given


def dispatch() -> int:
    return dispatcher.dispatch(Pool.objects.local().pk, cause="race").offers


def connect_unheard(agent: Agent) -> None:
    """Let the agent be connected, and no dispatch come of it."""
    Agent.objects.filter(pk=agent.pk).update(session="open", lease_until=clock.In(seconds=45))


def apply_ends(task: Task, *, log_bytes: int = 0) -> None:
    result = replace(APPLIED, log_bytes=log_bytes)
    results.finish(task.pk, task.epoch, task.agent_id, result, reservation_seconds=0)


def plan_ends(task: Task) -> None:
    factories.planned(deepcopy(task))


# dispatch x dispatch ------------------------------------------------------------------------------------------------


def test_dispatch_and_dispatch_fill_each_slot_once_with_the_oldest_task() -> None:
    agent = factories.agent(capacity=1)
    factories.pending(), factories.pending()
    connect_unheard(agent)

    found = every_order(lambda one, two: (one, two, leases()), one=dispatch, two=dispatch)

    found.demand((1, 0, (Lease.OFFERED, "")), (0, 1, (Lease.OFFERED, "")))


def test_offer_and_offer_of_one_task_make_one() -> None:
    task = factories.pending()
    here, there = (factories.place(factories.agent(name)) for name in ("here", "there"))

    found = every_order(
        lambda one, two: (word(one), word(two), task.attempts.get().agent_name),
        one=partial(offer, task, here),
        two=partial(offer, task, there),
    )

    found.demand((None, "LostRace", "here"), ("LostRace", None, "there"))


# expire x late result -----------------------------------------------------------------------------------------------


def silent(task: Task) -> Task:
    Agent.objects.filter(pk=task.agent_id).update(lease_until=clock.In(seconds=-1))
    return task


def test_a_lease_that_expires_and_the_late_result_of_an_apply_never_lose_the_result() -> None:
    task = silent(factories.applying(on=factories.agent(connected=True)))

    def outcome(expire: Any, finish: Any) -> Any:
        return word(expire), word(finish), factories.reread(task).status, events(task, Event.LOST, Event.APPLIED)

    found = every_order(
        outcome,
        expire=sweep._lost_agents,
        finish=partial(apply_ends, task),
        most=100,  # of some 350
    )

    found.demand(
        (None, None, Status.APPLIED, (Event.APPLIED,)),
        (None, None, Status.APPLIED, (Event.LOST, Event.APPLIED)),
    )


def test_a_lease_that_expires_and_the_late_result_of_a_plan_count_one_of_the_two() -> None:
    task = silent(factories.planning(on=factories.agent(connected=True)))

    found = every_order(
        lambda expire, finish: (word(expire), word(finish), factories.reread(task).status),
        expire=sweep._lost_agents,
        finish=partial(plan_ends, task),
    )

    found.demand(
        (None, None, Status.APPLY_PENDING),
        (None, "StaleEpoch", Status.PENDING),
    )


# reserve x confirm: the two ways in which a reservation ends; its pod's end is in `test_pairs_of_pods` ----------------------


def test_a_reservation_that_is_given_up_for_another_task_and_the_confirmation_of_its_plan() -> None:
    agent = factories.agent(capacity=1)
    kept = factories.awaiting_confirmation(on=agent)
    other, person = factories.pending(), factories.person()
    connect_unheard(agent)

    def outcome(dispatch: Any, confirm: Any) -> Any:
        now = factories.reread(kept)
        return confirm, now.status, now.lease, now.reason_code, factories.reread(other).lease

    found = every_order(outcome, dispatch=dispatch, confirm=lambda: confirmation.confirm(deepcopy(kept), by=person))

    found.demand(
        (True, Status.CONFIRMED, Lease.OFFERED, "offered", Lease.NONE),
        (True, Status.CONFIRMED, Lease.NONE, "no_free_slot", Lease.OFFERED),
    )


def test_a_reservation_that_runs_out_and_the_confirmation_of_its_plan() -> None:
    agent = factories.agent(capacity=1)
    kept, person = factories.awaiting_confirmation(on=agent), factories.person()
    Task.objects.update(lease_expires_at=clock.In(seconds=-1))
    connect_unheard(agent)

    def outcome(run_out: Any, confirm: Any) -> Any:
        now = factories.reread(kept)
        return confirm, now.status, now.lease, events(kept, Event.RESERVATION_ENDED)

    found = every_order(
        outcome, run_out=sweep._reservations, confirm=lambda: confirmation.confirm(deepcopy(kept), by=person)
    )

    found.demand(
        (True, Status.CONFIRMED, Lease.OFFERED, (Event.RESERVATION_ENDED,)),
        (True, Status.CONFIRMED, Lease.OFFERED, ()),
    )


# rotate x use -------------------------------------------------------------------------------------------------------


def test_a_pool_token_that_is_revoked_and_the_agent_that_comes_with_it() -> None:
    token, text = PoolToken.issue(pool=Pool.objects.local())
    factories.pending()

    def connect() -> str:
        """Come in as the consumer lets an agent in: token, hello, and then what the rows say."""
        valid = sessions.token_of(text)
        if valid is None:
            return "refused"
        session, _ = sessions.open_session(valid, hello("ada"))
        try:
            commands.pending(session, Told())
        except Rejected:
            sessions.close(session)
            return "rejected"
        return "let in"

    def outcome(revoke: Any, connect: Any) -> Any:
        agent = Agent.objects.filter(name="ada").first()
        may_speak = agent is not None and bool(agent.session)
        return connect, may_speak, PoolToken.objects.valid().exists()

    found = every_order(outcome, revoke=lambda: deepcopy(token).revoke(), connect=connect)

    # Who was let in before the token was revoked hears of it by the wake-up, or at the next heartbeat.
    found.demand(("refused", False, False), ("rejected", False, False), ("let in", True, False))


def test_an_api_token_that_is_revoked_and_the_request_that_comes_with_it() -> None:
    client = rows.client(factories.person())
    workspace = factories.workspace()

    found = every_order(
        lambda revoke, use: (word(revoke), use),
        revoke=lambda: word(AuthToken.objects.all().delete() and None),
        use=lambda: client.get(f"/api/v1/workspaces/{workspace.pk}").status_code,
    )

    found.demand((None, 200), (None, 401))


# chunk x finish -----------------------------------------------------------------------------------------------------


def say(task: Task, data: bytes) -> int:
    covering._known.cache_clear()  # or the orders before this one would have read what it reads
    piece = Log(task=task.pk, epoch=task.epoch, offset=0, data=b64encode(data).decode())
    return logs.store(task.agent_id, piece).offset


def log_of(task: Task) -> bytes:
    """Return the log of the task's attempt; fail where it has a gap, or is not as long as the attempt says."""
    attempt = Attempt.objects.get(task=task, epoch=task.epoch)
    joined = b""
    for chunk in LogChunk.objects.filter(attempt=attempt).order_by("offset"):
        assert chunk.offset == len(joined), "the log has a gap, or a piece twice"
        joined += bytes(chunk.data)
    assert attempt.log_stored == len(joined), "the attempt counts other bytes than are stored"
    return joined


def test_the_last_piece_of_a_log_and_the_end_of_its_apply_keep_both() -> None:
    task = factories.applying(on=factories.agent(connected=True))

    found = every_order(
        lambda chunk, finish: (chunk, word(finish), factories.reread(task).status, log_of(task)),
        chunk=partial(say, task, b"Apply complete!"),
        finish=partial(apply_ends, task, log_bytes=15),
    )

    found.demand((15, None, Status.APPLIED, b"Apply complete!"))


def test_a_piece_of_a_log_and_a_longer_one_from_the_same_place() -> None:
    task = factories.applying(on=factories.agent(connected=True))

    found = every_order(
        lambda short, long: (short, long, log_of(task)),
        short=partial(say, task, b"Apply"),
        long=partial(say, task, b"Apply complete!"),
    )

    # The agent sends again from where it is told that the log ends: nothing is lost with a piece that came too late.
    found.demand(
        (5, 15, b"Apply complete!"),
        (15, 15, b"Apply complete!"),
        (5, 5, b"Apply"),
    )
