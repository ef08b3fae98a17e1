import socket

import pytest

from iacplatform.supervisor import listener
from iacplatform.supervisor.errors import AddressUnusable, PortTaken


def test_a_taken_port_is_told_with_what_to_do() -> None:
    with listener.listen("127.0.0.1", 0) as other:
        port = other.socket.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} of 127.0.0.1 is taken .* --port"):
            listener.listen("127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("203.0.113.7", 0), ("::1", 0), ("no such name", 0), ("127.0.0.1", 99999)])
def test_an_address_that_is_not_ours_is_told(host: str, port: int) -> None:
    with pytest.raises(AddressUnusable, match="Nobody can listen at"):
        listener.listen(host, port)


def test_port_zero_takes_a_free_port_and_the_address_names_it() -> None:
    with listener.listen("127.0.0.1", 0) as ours:
        assert ours.address == f"http://127.0.0.1:{ours.socket.getsockname()[1]}"


def test_a_socket_for_every_address_is_reached_at_the_loopback() -> None:
    with listener.listen("0.0.0.0", 0) as ours:  # noqa: S104 - what an operator may choose
        assert ours.address.startswith("http://127.0.0.1:")


def test_who_connects_while_no_web_server_runs_waits_and_is_served() -> None:
    with listener.listen("127.0.0.1", 0) as ours, socket.create_connection(ours.socket.getsockname()) as visitor:
        visitor.sendall(b"hello")
        accepted, _ = ours.socket.accept()
        with accepted:
            assert accepted.recv(5) == b"hello"
