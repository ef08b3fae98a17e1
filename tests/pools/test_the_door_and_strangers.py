"""Whatever there is at the address of a config, and whatever it answers: it ends in time, and nothing of it is told."""

import socket
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from pools import kube, refusals, wire
from tests.pools.servers import asked, config, say, server

pytestmark = pytest.mark.django_db(transaction=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def test_an_answer_that_trickles_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "WHOLE_ANSWER_SECONDS", 0.3)
    ended = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not ended.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    with server(trickle) as address, pytest.raises(kube.Unreachable, match="took longer"):
        asked(config(address))
    ended.set()


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
