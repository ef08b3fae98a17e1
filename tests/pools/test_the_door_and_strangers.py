"""Whatever there is at the address of a config, and whatever it answers: it ends in time, and nothing of it is told."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from pools import calls, kube, refusals, timely, wire
from tests.cluster.credentials import Credentials
from tests.e2e.surroundings import free_port
from tests.pools.servers import Serve, asked, authority, config, say, server

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_port_where_nobody_listens_and_a_name_that_nobody_has() -> None:
    with pytest.raises(kube.Unreachable, match="Connection refused"):
        asked(config(f"https://127.0.0.1:{free_port()}"))
    with pytest.raises(kube.Unreachable, match="No answer"):
        asked(config("https://cluster.invalid"))


def test_a_person_reads_where_and_why_and_no_names_of_parts_of_a_client() -> None:
    address = f"https://127.0.0.1:{free_port()}"
    with pytest.raises(kube.Unreachable) as refused:
        asked(config(address))
    why = "Failed to establish a new connection: [Errno 111] Connection refused"
    assert refused.value.words == f"No answer from {address}: {why}"


def test_a_connection_that_is_never_taken_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CONNECT_SECONDS", 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        with pytest.raises(kube.Unreachable, match="timed out"):
            asked(config(f"https://127.0.0.1:{deaf.getsockname()[1]}"))


def test_a_redirect_is_not_followed() -> None:
    followed: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        followed.append(handler.path)
        handler.send_response(302)
        handler.send_header("Location", "/inside")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with server(elsewhere) as address, pytest.raises(kube.Unreachable, match="302"):
        asked(config(address))
    assert followed == ["/version"]


def test_what_another_service_says_is_not_told() -> None:
    def metadata(handler: BaseHTTPRequestHandler) -> None:
        say(handler, b'{"AccessKeyId": "inside", "message": "inside", "code": "inside"}', 403)

    with server(metadata) as address, pytest.raises(kube.Denied) as refused:
        asked(config(address))
    assert "inside" not in str(refused.value)


BEGINNINGS = {
    "status line": b"HTTP/1.1 2",
    "headers": b"HTTP/1.1 200 OK\r\nX-More: ",
    "body": b"HTTP/1.1 200 OK\r\n\r\n",
    "length of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
}


def trickling(beginning: bytes, ended: threading.Event) -> Serve:
    """Return a server of an answer that begins so and goes on for ever, a byte at a time."""

    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(beginning)
        while not ended.wait(0.05):
            handler.wfile.write(b"0")
            handler.wfile.flush()

    return serve


@pytest.mark.parametrize("part", BEGINNINGS)
@pytest.mark.parametrize("is_tls", [False, True])
def test_an_answer_that_trickles_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, credentials: Credentials, part: str, is_tls: bool
) -> None:
    monkeypatch.setattr(timely, "ANSWER_SECONDS", 0.3)
    ended = threading.Event()
    trusted = authority(credentials) if is_tls else {}
    with server(trickling(BEGINNINGS[part], ended), credentials if is_tls else None) as address:
        with pytest.raises(kube.Unreachable, match=r"not all of it had come after 0\.3 seconds"):
            asked(config(address, trusted))
        ended.set()


def test_a_proxy_that_trickles_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timely, "ANSWER_SECONDS", 0.3)
    ended = threading.Event()
    with server(trickling(BEGINNINGS["headers"], ended)) as proxy:
        with pytest.raises(kube.Unreachable, match=r"after 0\.3 seconds"):
            asked(config("https://10.0.0.1", {"proxy-url": proxy}))
        ended.set()


def test_a_server_that_falls_silent_in_the_middle_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "READ_SECONDS", 0.3)
    ended = threading.Event()

    def pause(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(BEGINNINGS["body"])
        ended.wait(5)

    with server(pause) as address:
        with pytest.raises(kube.Unreachable, match="timed out"):
            asked(config(address))
        ended.set()


def test_a_list_whose_pages_are_slow_and_without_end_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "LOOK_SECONDS", 0.3)
    page = json.dumps({"kind": "PodList", "items": [], "metadata": {"continue": "more"}}).encode()

    def turn(handler: BaseHTTPRequestHandler) -> None:
        threading.Event().wait(0.1)
        say(handler, page)

    slow = pytest.raises(kube.Unreachable, match="answers so slowly")
    with server(turn) as address, kube.Cluster(config(address)) as door, slow:
        door.pods()


def test_an_answer_without_end_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 1_000_000)

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" " * 100_000)

    with server(flood) as address, pytest.raises(kube.Unreachable, match="more than 1,000,000 bytes"):
        asked(config(address))


def test_nothing_is_quoted_of_a_service_that_does_not_speak_http() -> None:
    def greet(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-hunter2\r\n")

    with server(greet) as address, pytest.raises(kube.Unreachable, match="does not speak HTTP") as told:
        asked(config(address))
    assert "hunter2" not in told.value.words


def test_a_byte_that_no_database_takes_is_left_out_of_what_a_cluster_says() -> None:
    with server(lambda handler: say(handler, b'{"gitVersion": "v1\\u0000.99"}')) as address:
        assert asked(config(address)) == "v1\ufffd.99"


@pytest.mark.parametrize("text", ["soon", "-5", "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"])
def test_a_time_that_is_none_is_no_time_to_wait(text: str) -> None:
    assert not refusals.retry_after(wire.Answer(429, {"retry-after": text}, {}))
