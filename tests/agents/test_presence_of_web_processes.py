"""A web process beats from its first call on, whatever happens to the database meanwhile."""

import threading
from typing import Any

import pytest
from django.db import OperationalError

from agents import presence
from agents.presence import Presence
from tests.waiting import ENOUGH_SECONDS, becomes_true


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(presence, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(presence, "beat", heard.append)
    monkeypatch.setattr(presence, "step_in", lambda: None)
    return heard


async def _inner(scope: Any, receive: Any, send: Any) -> None:
    await send(scope)


async def _call(app: Presence) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http"}, None, send)
    return sent


async def test_a_call_is_passed_on(beats: list[str]) -> None:
    assert await _call(Presence(_inner)) == [{"type": "http"}]


async def test_it_beats_under_one_name_of_its_own(beats: list[str]) -> None:
    app, other = Presence(_inner), Presence(_inner)
    await _call(app)
    await _call(app)
    await becomes_true(lambda: len(beats) > 2)
    assert set(beats) == {app.name}
    assert app.name.startswith("web:")
    assert app.name != other.name


async def test_a_missed_beat_is_not_the_last(monkeypatch: pytest.MonkeyPatch, beats: list[str]) -> None:
    def gone(name: str) -> None:
        beats.append(name)
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(presence, "beat", gone)
    await _call(Presence(_inner))
    await becomes_true(lambda: len(beats) > 2)


async def test_a_beat_that_ended_begins_again_with_the_next_call(beats: list[str]) -> None:
    app = Presence(_inner)
    await _call(app)
    assert app.beating is not None
    app.beating.cancel()
    await becomes_true(lambda: app.beating is not None and app.beating.done())
    beats.clear()
    await _call(app)
    await becomes_true(lambda: len(beats) > 1)


async def test_a_long_sweep_holds_up_no_beat(monkeypatch: pytest.MonkeyPatch, beats: list[str]) -> None:
    end = threading.Event()
    monkeypatch.setattr(presence, "step_in", lambda: end.wait(ENOUGH_SECONDS))
    await _call(Presence(_inner))
    await becomes_true(lambda: len(beats) > 2)
    assert not end.is_set()
    end.set()
