"""An agent's log over links that break at any byte: the agent's own outbox, the server's own store, no socket between."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents import protocol, reports
from agents.protocol import FromAgent, FromServer, LogStored, Work
from agents.runner.masking import Masker
from agents.runner.outbox import Outbox
from agents.runner.spool import Spool
from agents.sessions import Session
from tasks.models import Task
from tests.agents.conftest import Connect
from tests.evidence.words import attempt_of, log_of
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

LONGEST_LINK = 120_000
"""Bytes: one that is shorter than a full message lets none through."""
MOST_LINKS = 100


class Broken(Exception):
    """The link has carried all that it can."""


@dataclass
class Link:
    """Carries so many bytes; a message that is cut within is lost, as a frame of a WebSocket is."""

    left: int

    def carry(self, word: FromAgent | FromServer) -> None:
        """Carry a word, or break in its middle."""
        self.left -= len(protocol.dump(word))
        if self.left < 0:
            raise Broken


@pytest.fixture
def session(connect: Connect) -> Session:
    return connect("ada")[0]


@pytest.fixture
def planning(session: Session) -> Task:
    return factories.running(factories.reread(factories.pending()))


def talk(outbox: Outbox, session: Session, link: Link) -> None:
    """Say what is due and hear the answers until nothing is due."""
    while words := outbox.due():
        for word in words:
            link.carry(word)
            for answer in reports.handle(session, word):
                link.carry(answer)
                if isinstance(answer, LogStored):
                    outbox.stored(answer.offset)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_nothing_is_lost_and_nothing_comes_twice(session: Session, planning: Task, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    spool = Spool(tmp_path / "log", Masker([]))
    outbox = Outbox(Work(task=planning.pk, epoch=planning.epoch), asyncio.Event())
    outbox.open_log(spool)
    said, breaks = "", 0
    for number in range(MOST_LINKS):
        if number < MOST_LINKS // 10:
            said += (text := f"{number} {chance.random()}\n" * chance.randint(0, 5000))
            spool.write(text)
        outbox.resume()
        try:
            talk(outbox, session, Link(chance.randint(0, LONGEST_LINK)))
        except Broken:
            breaks += 1
    assert breaks > 5, "the links did not break, so nothing is proved"
    assert outbox.is_log_stored
    assert log_of(attempt_of(planning)) == said.encode()
