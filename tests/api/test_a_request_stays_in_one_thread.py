"""A request is answered in one thread: from the first middleware to the view, and back."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware
from pytest_django import Settings

from iacplatform import asgi
from iacplatform.handling import Handler
from tests.waiting import ENOUGH_SECONDS, becomes_true

Answer = Callable[[HttpRequest], Any]
seen: list[tuple[str, int]] = []


def _note(where: str) -> None:
    seen.append((where, threading.get_ident()))


@sync_and_async_middleware
def flexible(get_response: Answer) -> Answer:
    """A middleware as Django's own: it can do either."""
    assert not asyncio.iscoroutinefunction(get_response), "the chain waits on the event loop"

    def answer(request: HttpRequest) -> Any:
        _note("flexible")
        return get_response(request)

    return answer


def strict(get_response: Answer) -> Answer:
    """A middleware as WhiteNoise's: it is synchronous."""

    def answer(request: HttpRequest) -> Any:
        _note("strict")
        return get_response(request)

    return answer


def view(request: HttpRequest) -> HttpResponse:
    """Say what came."""
    _note("view")
    return HttpResponse(request.body, status=int(request.GET.get("status", "200")))


def meeting(request: HttpRequest) -> HttpResponse:
    """Answer when another request is here as well."""
    both.wait(ENOUGH_SECONDS)
    return view(request)


def lengthy(request: HttpRequest) -> HttpResponse:
    """Answer when the test says so."""
    _note("begun")
    assert go_on.wait(ENOUGH_SECONDS)
    return view(request)


def broken(request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise LookupError("nothing is there")


both, go_on = threading.Barrier(2), threading.Event()
urlpatterns = [path(f"{each.__name__}/", each) for each in (view, meeting, lengthy, broken)]


async def _hang_on() -> None:
    await asyncio.Future()


async def _ask(
    address: str, query: bytes = b"", body: bytes = b"", until: Callable[[], Awaitable[None]] = _hang_on
) -> list[Mapping[str, Any]]:
    """Return what is said to a request. `until`: when the client hangs up."""
    scope = {"type": "http", "method": "POST", "path": address, "query_string": query, "headers": []}
    said: list[Mapping[str, Any]] = []
    words = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if words:
            return words.pop()
        await until()
        return {"type": "http.disconnect"}

    async def send(word: Mapping[str, Any]) -> None:
        said.append(word)

    await asyncio.wait_for(Handler()(scope, receive, send), ENOUGH_SECONDS)
    return said


async def _answer(address: str, query: bytes = b"", body: bytes = b"") -> tuple[int, bytes]:
    """Return status and text of the answer to a request."""
    start, *rest = await _ask(address, query, body)
    return start["status"], b"".join(word.get("body", b"") for word in rest)


@pytest.fixture(autouse=True)
def _small_world(settings: Settings) -> None:
    seen.clear()
    settings.ROOT_URLCONF, settings.DEBUG = __name__, False
    settings.MIDDLEWARE = [f"{__name__}.{name}" for name in ("flexible", "strict", "flexible")]


def test_the_web_server_answers_so() -> None:
    assert isinstance(asgi._http, Handler)


async def test_middlewares_of_either_kind_and_the_view_run_in_the_requests_own_thread() -> None:
    assert await _answer("/view/", body=b"hello") == (200, b"hello")
    assert [where for where, _ in seen] == ["flexible", "strict", "flexible", "view"]
    threads = {thread for _, thread in seen}
    assert len(threads) == 1 and threading.get_ident() not in threads


async def test_two_requests_do_not_wait_for_one_another() -> None:
    answers = list(await asyncio.gather(_answer("/meeting/", body=b"one"), _answer("/meeting/", body=b"two")))
    assert answers == [(200, b"one"), (200, b"two")]
    assert len({thread for _, thread in seen}) == 2


async def test_a_refusal_and_a_fault_are_answered(caplog: pytest.LogCaptureFixture) -> None:
    assert (await _answer("/view/", b"status=409"))[0] == 409
    assert (await _answer("/broken/"))[0] == 500
    assert "LookupError" in caplog.text


async def test_who_hangs_up_in_the_middle_keeps_no_thread_and_no_connection_of_the_database() -> None:
    ended: list[int] = []

    def end(**_news: object) -> None:
        ended.append(threading.get_ident())

    async def when_it_has_begun() -> None:
        await becomes_true(lambda: "begun" in dict(seen))
        asyncio.get_running_loop().call_later(0.1, go_on.set)

    request_finished.connect(end)
    assert await _ask("/lengthy/", until=when_it_has_begun) == []
    request_finished.disconnect(end)
    # What ends a request, the return of its connection among it, is done where the request was answered, and after it.
    assert [where for where, _ in seen][-2:] == ["begun", "view"]
    assert ended == [dict(seen)["view"]]
