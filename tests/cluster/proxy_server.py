"""The sockets of the fault proxy: TLS in, TLS out, a thread for each connection."""

import http.client
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.api import Identity
from tests.cluster.credentials import Credentials
from tests.cluster.faults import Fault, Reply
from tests.cluster.traffic import Request

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "host", "accept-encoding"}
LINE_BYTES = 65536
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset, socket(7)


class ProxyServer(ThreadingHTTPServer):
    """Listens on a free port of the loopback; `arrived` is told of each request and says what happens to it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: Identity, credentials: Credentials, arrived: Callable[[Request], Fault | None]) -> None:
        self.target, self.arrived = target, arrived
        self.released = threading.Event()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(credentials.file("server.crt"), credentials.file("server.key"))
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), Connection)
        self.url = f"https://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="proxy", daemon=True).start()

    def stop(self) -> None:
        """End, with every connection."""
        self.shutdown()
        self.server_close()
        self.release()
        self.sever()

    def release(self) -> None:
        """Let go of whoever waits now."""
        self.released.set()
        self.released = threading.Event()

    def sever(self) -> None:
        """Break every open connection."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Return a new connection; its thread does the handshake."""
        plain, address = super().get_request()
        connection = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Broken connections are this server's business: no word about them."""


class Connection(BaseHTTPRequestHandler):
    """One client; an `Exchange` for each of its requests in turn."""

    protocol_version = "HTTP/1.1"
    server: ProxyServer

    def handle_one_request(self) -> None:
        """Read a request, and let happen to it what is to happen."""
        self.raw_requestline = self.rfile.readline(LINE_BYTES)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self._body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._request = Request(self.command, self.path)
        self._healed = self.server.released  # before the fault is counted: who sees that may heal at once
        fault = self.server.arrived(self._request)
        try:
            fault.happen(self) if fault else self.send(self.forward())
        except (OSError, http.client.HTTPException):
            self.reset()  # the API server is away, or the client

    def forward(self) -> Reply:
        """Let the API server carry it out."""
        with self._answer() as answer:
            return Reply(answer.status, _kept(answer), answer.read())

    def send(self, reply: Reply, *, share: float = 1.0) -> None:
        """Answer the client with that share of the body."""
        self._begin(reply.code, [*reply.headers, ("Content-Length", str(len(reply.body)))])
        self.wfile.write(reply.body[: int(len(reply.body) * share)])
        self.close_connection = share < 1 or self.close_connection

    def reset(self) -> None:
        """Break the connection to the client."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            os.close(self.connection.detach())

    def wait(self, seconds: float) -> None:
        """Return after so long, at once when the faults are healed."""
        self._healed.wait(seconds)

    def log_message(self, format: str, *args: Any) -> None:
        """The proxy counts; it does not talk."""

    def _answer(self) -> http.client.HTTPResponse:
        # A connection for each request: one that is kept may be closed at the moment it is used.
        place = urlsplit(self.server.target.url)
        upstream = http.client.HTTPSConnection(place.netloc, context=self.server.target.trust, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        upstream.request(self.command, self.path, body=self._body or None, headers=headers | {"Connection": "close"})
        return upstream.getresponse()

    def _begin(self, code: int, headers: list[tuple[str, str]]) -> None:
        self._request.status = code
        self.send_response_only(code)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()


def _kept(answer: http.client.HTTPResponse) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
