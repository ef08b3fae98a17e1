"""Who may open a socket, and how it ends for who may not."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer

from agents import consumers, protocol
from agents.models import Agent
from pools.models import PoolToken
from tests.agents.scenes import hello
from tests.agents.sockets import do, new_token, open_socket, welcomed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _layer() -> AsyncIterator[None]:
    yield
    await get_channel_layer().flush()


async def test_an_agent_with_a_token_is_welcome() -> None:
    async with welcomed(await new_token()) as (_, welcome):
        assert welcome.version == "1"
        assert welcome.heartbeat_seconds == protocol.HEARTBEAT_SECONDS


@pytest.mark.parametrize("text", ["", "iacp_wrong", "ÄÖÜ", "x" * 5000])
async def test_a_wrong_token_is_told_what_to_do(text: str) -> None:
    async with open_socket(text) as socket:
        refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("token", False)
    assert "pool's page" in refusal.message


async def test_another_scheme_is_no_token() -> None:
    text = await new_token()
    async with open_socket("", (b"authorization", f"Basic {text}".encode())) as socket:
        assert (await socket.refusal()).code == "token"


async def test_a_revoked_token_lets_nobody_in() -> None:
    text = await new_token()
    await do(lambda: PoolToken.objects.get().revoke())
    async with open_socket(text) as socket:
        assert (await socket.refusal()).code == "token"


@pytest.mark.parametrize(
    "header", [(b"origin", b"https://evil.example"), (b"cookie", b"sessionid=1"), (b"Origin", b"null")]
)
async def test_browsers_are_refused(header: tuple[bytes, bytes]) -> None:
    """A page of somebody else's must not be able to speak as an agent, whatever it knows."""
    async with open_socket(await new_token(), header) as socket:
        assert (await socket.refusal()).code == "browser"


async def test_who_says_nothing_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "HELLO_SECONDS", 0.05)
    async with open_socket(await new_token()) as socket:
        refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("no_hello", True)


async def test_a_hello_in_time_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "HELLO_SECONDS", 2)
    async with welcomed(await new_token()) as (socket, _):
        assert await socket.carrier.receive_nothing(timeout=2.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ('{"type":"shutdown"}', "Unknown word"),
        ('{"type":["hello"]}', "Unknown word"),
        ('{"type":"leaving","force":true}', "no field 'force'"),
        ('{"type":"accept","task":1}', "lacks the field 'epoch'"),
        ('{"type":"accept","task":"1","epoch":1}', "must be a number"),
        ('{"type":"accept","task":true,"epoch":1}', "must be a number"),
        ('{"type":"accept","task":NaN,"epoch":1}', "must be a number"),
        ('{"type":"progress","task":1,"epoch":1,"stage":"dancing"}', "must be one of"),
        ('{"type":"heartbeat","work":{}}', "must be a list"),
        ('{"type":"log","task":1,"epoch":1,"offset":0,"data":"\\ud800"}', "must be text"),
        ('{"type":"log","task":1,"epoch":1,"offset":0,"data":"\\u0000"}', "without NUL"),
        (json.dumps({"type": "heartbeat", "work": "x" * 300_000}), "bytes at most"),
    ],
)
async def test_what_is_no_word_ends_the_socket_with_a_sentence(text: str, says: str) -> None:
    async with welcomed(await new_token()) as (socket, _):
        await socket.send(text)
        refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("bad_word", True)
    assert says in refusal.message


async def test_the_first_word_is_a_hello() -> None:
    async with open_socket(await new_token()) as socket:
        await socket.send('{"type":"leaving"}')
        assert (await socket.refusal()).code == "bad_word"


async def test_a_hello_is_said_once() -> None:
    async with welcomed(await new_token()) as (socket, _):
        await socket.say(hello())
        assert "once" in (await socket.refusal()).message


async def test_bytes_are_no_words() -> None:
    async with welcomed(await new_token()) as (socket, _):
        await socket.carrier.send_to(bytes_data=b"\x00\x01")
        assert (await socket.refusal()).code == "bad_word"


async def test_after_a_refusal_nothing_more_is_heard() -> None:
    async with welcomed(await new_token()) as (socket, _):
        await socket.send("{")
        await socket.send('{"type":"leaving"}')
        await socket.refusal()
        assert await socket.is_silent()
    assert not await do(Agent.objects.filter(draining=True).exists)


async def test_a_socket_that_ends_closes_its_session() -> None:
    async with welcomed(await new_token()):
        pass
    agent: Any = await do(Agent.objects.get)
    assert agent.session == ""
