"""A release mirror on this machine: laid out as the makers of the engines do it, and misbehaving as a test wants."""

import hashlib
import io
import os
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agents.runner import engines
from tests.waiting import ENOUGH_SECONDS

FAKE = Path(__file__).with_name("fake_engine.py")
PLATFORM = f"{engines.OS}_{engines.ARCH}"

Act = Callable[["Handler"], None]
"""Answers one request."""

BARE = "/usr/bin:/bin"
"""A PATH without engines."""


def script(version: str = "1.11.4") -> bytes:
    """Return the fake engine as a program that says it is of this version."""
    text = FAKE.read_text().replace('VERSION = "1.11.4"', f'VERSION = "{version}"')
    return f"#!{sys.executable} -ES\n{text}".encode()


def installed() -> tuple[str, bytes]:
    """Return the version of this machine's terraform, and a program that starts it."""
    found = engines.Engines(Path("/nowhere"), os.environ, {}).find("terraform", "")
    assert found, "there is no terraform on PATH"
    return found.engine.version, f'#!/bin/sh\nexec {found.path} "$@"\n'.encode()


def zipped(engine: str, binary: bytes, **others: bytes) -> bytes:
    """Return an archive as it is published."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"LICENSE.txt": b"Do what you like.", engine: binary, **others}.items():
            archive.writestr(name, data)
    return file.getvalue()


def gives(data: bytes, kind: str = "application/zip") -> Act:
    """Answer with this."""

    def act(handler: "Handler") -> None:
        handler.head(200, len(data), kind)
        handler.wfile.write(data)

    return act


def refuses(status: int) -> Act:
    return lambda handler: handler.head(status, 0, "text/plain")


def leads_to(address: str) -> Act:
    def act(handler: "Handler") -> None:
        handler.send_response(302)
        handler.send_header("Location", address)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return act


def cut(data: bytes) -> Act:
    """Answer with half of it, and hang up."""

    def act(handler: "Handler") -> None:
        handler.head(200, len(data), "application/zip")
        handler.wfile.write(data[: len(data) // 2])
        handler.close_connection = True

    return act


class Mirror:
    """Runs in threads of its own. `acts`: by path, what happens there; a list is used up one after the other.

    `asked`: the paths of all requests, in order; `words`: the `Authorization` that came with each.
    """

    def __init__(self) -> None:
        self.acts: dict[str, Act | list[Act]] = {}
        self.asked: list[str] = []
        self.words: list[str] = []
        self.go_on = threading.Event()
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def publish(
        self, engine: str = "tofu", version: str = "1.11.4", archive: bytes = b"", sum_of: bytes = b""
    ) -> bytes:
        """Publish a version and return its archive; `sum_of`: what the list of sums speaks of, if not of it."""
        data = archive or zipped(engine, script(version))
        self.acts[self.archive(engine, version)] = gives(data)
        name = f"{engine}_{version}_{PLATFORM}.zip"
        lines = (
            f"{'0' * 64}  {engine}_{version}_plan9_amd64.zip\n{hashlib.sha256(sum_of or data).hexdigest()}  {name}\n"
        )
        self.acts[self.sums(engine, version)] = gives(lines.encode(), "text/plain")
        return data

    def archive(self, engine: str = "tofu", version: str = "1.11.4") -> str:
        """Return the path of an archive."""
        return f"{_folder(engine, version)}/{engine}_{version}_{PLATFORM}.zip"

    def sums(self, engine: str = "tofu", version: str = "1.11.4") -> str:
        """Return the path of a list of sums."""
        return f"{_folder(engine, version)}/{engine}_{version}_SHA256SUMS"

    def holds_back(self, data: bytes) -> Act:
        """Answer with half of it, and with the rest when the test says `go_on`."""

        def act(handler: "Handler") -> None:
            handler.head(200, len(data), "application/zip")
            handler.wfile.write(data[: len(data) // 2])
            handler.wfile.flush()
            self.go_on.wait(ENOUGH_SECONDS)
            handler.wfile.write(data[len(data) // 2 :])

        return act

    def close(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        mirror = self.server.mirror
        mirror.asked.append(self.path)
        mirror.words.append(self.headers.get("Authorization", ""))
        act = mirror.acts.get(self.path, refuses(404))
        if isinstance(act, list):
            act = act.pop(0)
        try:
            act(self)
        except OSError:  # the agent hung up
            self.close_connection = True

    def head(self, status: int, length: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, mirror: Mirror) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mirror = mirror


def _folder(engine: str, version: str) -> str:
    return f"/terraform/{version}" if engine == "terraform" else f"/v{version}"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    yield mirror
    mirror.close()
