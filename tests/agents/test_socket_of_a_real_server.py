"""The same socket behind a real daphne: another process, real frames, real headers."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from agents import protocol
from agents.models import Agent
from agents.protocol import Accept, Heartbeat, Offer, Refused, Start, Welcome
from iacplatform.base.models import Beat
from pools.models import Pool, PoolToken
from tasks.models import Task
from tests.agents.scenes import hello
from tests.e2e.surroundings import free_port
from tests.tasks import factories
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

Eventually = Callable[..., None]


class Server:
    """A daphne on a port of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.start()

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "daphne",
            "-b",
            "127.0.0.1",
            "-p",
            str(self.port),
            "iacplatform.asgi:application",
        ]
        self.process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": _database()})

    def kill(self) -> None:
        """End it without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(ENOUGH_SECONDS)

    def answers(self) -> bool:
        try:
            with closing(socket.create_connection(("127.0.0.1", self.port), 1)):
                return True
        except OSError:
            return False

    def connect(self, text: str, **headers: str) -> AbstractContextManager[ClientConnection]:
        """Open a socket that shows this token."""
        shown = {"Authorization": f"Bearer {text}", **headers}
        url = f"ws://127.0.0.1:{self.port}/agents/v1/connect"
        return connect(url, additional_headers=shown, open_timeout=ENOUGH_SECONDS, close_timeout=2)


@pytest.fixture
def server(eventually: Eventually) -> Iterator[Server]:
    running = Server(free_port())
    try:
        eventually(running.answers)
        yield running
    finally:
        running.kill()


@pytest.fixture
def text() -> str:
    return PoolToken.issue(pool=Pool.objects.local())[1]


@contextmanager
def welcomed(server: Server, text: str, **members: Any) -> Iterator[ClientConnection]:
    """Open a socket and say hello."""
    with server.connect(text) as agent:
        agent.send(protocol.dump(hello(**members)))
        assert isinstance(hear(agent), Welcome)
        yield agent


def hear(agent: ClientConnection) -> protocol.FromServer:
    return protocol.parse_from_server(str(agent.recv(timeout=ENOUGH_SECONDS)))


def _database() -> str:
    """Return the address of the database of this test run."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def test_an_offer_made_by_another_process_arrives_and_starts(server: Server, text: str) -> None:
    with welcomed(server, text) as agent:
        task = factories.pending()
        offer = hear(agent)
        assert isinstance(offer, Offer)
        agent.send(protocol.dump(Accept(task=offer.task, epoch=offer.epoch)))
        assert isinstance(hear(agent), Start)
        assert factories.reread(task).status == "running"


def test_a_token_revoked_by_another_process_closes_the_socket_of_an_agent_that_asks_nothing(
    server: Server, text: str
) -> None:
    with welcomed(server, text) as agent:
        PoolToken.objects.get().revoke()
        word = hear(agent)
        assert isinstance(word, Refused)
        assert word.code == "token_revoked"
        with pytest.raises(ConnectionClosed):
            agent.recv(timeout=ENOUGH_SECONDS)


@pytest.mark.parametrize("header", ["Origin", "Cookie"])
def test_a_browsers_header_is_seen(server: Server, text: str, header: str) -> None:
    with server.connect(text, **{header: "https://evil.example"}) as page:
        word = hear(page)
    assert isinstance(word, Refused)
    assert word.code == "browser"


def test_a_message_beyond_what_daphne_takes_costs_only_its_own_socket(server: Server, text: str) -> None:
    with welcomed(server, text, name="ada") as ada, welcomed(server, text, name="bob") as bob:
        with pytest.raises(ConnectionClosed):
            ada.send("x" * 2_000_000)
            ada.recv(timeout=ENOUGH_SECONDS)
            ada.recv(timeout=ENOUGH_SECONDS)
        bob.send(protocol.dump(Heartbeat(work=())))
        factories.pending()
        assert isinstance(hear(bob), Offer)


def test_a_killed_server_loses_nothing_that_was_committed(server: Server, text: str, eventually: Eventually) -> None:
    with welcomed(server, text) as agent:
        server.kill()
        with pytest.raises(ConnectionClosed):
            agent.recv(timeout=ENOUGH_SECONDS)
    assert Agent.objects.connected().exists()  # a dead server is no dead agent
    task = factories.pending()
    server.start()
    eventually(server.answers)
    with welcomed(server, text) as agent:
        offer = hear(agent)
    assert isinstance(offer, Offer)
    assert offer.task == Task.objects.get().pk == task.pk


def test_a_server_says_that_it_is_at_work(server: Server, text: str, eventually: Eventually) -> None:
    with welcomed(server, text):
        eventually(Beat.objects.filter(name__startswith="web:").exists)
