"""Agents of yesterday's release are let in, and those of another protocol are told so."""

import json
from typing import Any

import pytest

from agents import protocol
from agents.protocol import Welcome
from tests.agents.sockets import new_token, open_socket

pytestmark = pytest.mark.django_db(transaction=True)

HELLO: dict[str, Any] = {
    "type": "hello",
    "versions": ["1"],
    "name": "ada",
    "instance": "a1",
    "capacity": 1,
    "engines": [{"name": "terraform", "version": "1.11.4"}],
    "os": "linux",
    "arch": "amd64",
    "agent_version": "1",
    "work": [],
}
"""As the first release said it: without `pod_name`, `fetches` and whatever is still to come."""


@pytest.mark.parametrize("versions", [["1"], ["2", "1"], ["9", "1", "0"]])
async def test_who_speaks_our_version_among_others_is_let_in(versions: list[str]) -> None:
    async with open_socket(await new_token()) as socket:
        await socket.send(json.dumps({**HELLO, "versions": versions}))
        welcome = await socket.hear()
        assert isinstance(welcome, Welcome) and welcome.version == "1"
        await socket.send('{"type": "heartbeat", "work": []}')
        assert await socket.is_silent(), "yesterday's heartbeat is none that is refused"


@pytest.mark.parametrize("more", [{}, {"colour": "red"}, {"capacity": "many"}])
@pytest.mark.parametrize("versions", [["2"], ["3", "2"], []])
async def test_another_protocol_is_refused_for_good_with_a_sentence(versions: list[str], more: dict[str, Any]) -> None:
    async with open_socket(await new_token()) as socket:
        await socket.send(json.dumps({**HELLO, "versions": versions, **more}))
        refusal = await socket.refusal()
    assert (refusal.code, refusal.retry) == ("version", False)
    assert f"This server speaks protocol 1, the agent {', '.join(versions) or 'none'}: update" in refusal.message


async def test_a_field_that_nobody_knows_is_named_where_the_version_is_ours() -> None:
    async with open_socket(await new_token()) as socket:
        await socket.send(json.dumps({**HELLO, "colour": "red"}))
        refusal = await socket.refusal()
    assert (refusal.code, refusal.message) == ("bad_word", "hello has no field 'colour'.")


@pytest.mark.parametrize("text", [" ", "[]", '{"type": "hello", "versions": 1}', '{"type": "hello"}', "[" * 5000])
async def test_what_is_no_hello_is_no_word(text: str) -> None:
    async with open_socket(await new_token()) as socket:
        await socket.send(text)
        assert (await socket.refusal()).code == "bad_word"


def test_the_newest_version_is_taken_first() -> None:
    assert list(protocol.VERSIONS) == sorted(protocol.VERSIONS, reverse=True)
