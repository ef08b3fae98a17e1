"""What a task that does nothing costs the database, from its creation to its end: statements and commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from agents import commands, offers, reports
from agents.commands import Told
from agents.models import Agent
from agents.protocol import Accept, Finished, Offer
from agents.sessions import Session
from iacplatform.base import wakeups
from pools.models import PoolToken
from tasks import creation
from tasks.states import TaskType
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENTS = 12
COMMITS = 5


@dataclass
class Cost:
    statements: list[str] = field(default_factory=list)
    commits: int = 0


@contextmanager
def counted() -> Iterator[Cost]:
    """Count what this connection executes inside. A statement that reads is no commit, and news is one."""
    cost = Cost()
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    commit = wrapper._commit

    def execute(act: Callable[..., Any], sql: str, *how: Any) -> Any:
        cost.statements.append(sql)
        cost.commits += "pg_notify" in sql
        return act(sql, *how)

    def end() -> None:
        cost.commits += 1
        commit()

    with wrapper.execute_wrapper(execute), mock.patch.object(wrapper, "_commit", end):
        yield cost


def session_of(agent: Agent) -> Session:
    token = PoolToken.issue(pool=agent.pool)[0]
    names = {"agent_id": agent.pk, "agent_name": agent.name, "pool_id": agent.pool_id, "session": agent.session}
    return Session(token_id=token.pk, **names)


@pytest.mark.parametrize("others", [0, 50])
def test_a_plan_that_fails_at_once_costs_the_same_however_many_agents_there_are(others: int) -> None:
    workspace, session = factories.workspace(), session_of(factories.agent(connected=True))
    for _ in range(others):
        factories.agent(connected=True, draining=True)
    person = factories.person()

    with counted() as cost, mock.patch.object(wakeups, "_send", wraps=wakeups._send) as sent:
        task = creation.create(workspace, task_type=TaskType.PLAN, by=person)
        ((_, word),) = sent.call_args.args[0]
        brought = offers.brought(word)
        assert brought
        (offer,) = commands.passed_on(brought, Told())
        assert isinstance(offer, Offer)
        attempt: dict[str, Any] = {"task": offer.task, "epoch": offer.epoch}
        assert reports.handle(session, Accept(**attempt))
        end: dict[str, Any] = {"outcome": "failed", "exit_code": 1, "seconds": 0.1, "log_bytes": 0}
        assert reports.handle(session, Finished(**attempt, **end))

    assert factories.reread(task).is_final
    assert len(cost.statements) == STATEMENTS, cost.statements
    assert cost.commits == COMMITS
