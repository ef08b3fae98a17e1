"""The HTTP side of the fake platform: jobs, plan parts and terraform's `http` state backend, in memory."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "attempt-token-"
PART_BYTES = 1000


@dataclass
class State:
    """A workspace's state. `refuse`: so many writes are answered with 400 first; `tokens`: all that were shown.

    `is_over`: its attempt is over, so that a state is refused and kept aside.
    """

    body: bytes = b""
    lock: dict[str, Any] | None = None
    refuse: int = 0
    history: list[int] = field(default_factory=list)
    is_over: bool = False
    kept: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)


@dataclass
class Store:
    """What the platform keeps. Jobs by attempt token; parts by task; `downloads`: of configurations, so far."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[int, dict[str, bytes]] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    is_broken: bool = False
    downloads: int = 0
    archive: bytes = b""  # the configuration of all jobs, in place of their files
    is_swapped: bool = False  # its parts are not what its digest says
    told: list[list[dict[str, Any]]] = field(default_factory=list)  # what agents found in it
    hear: Callable[[str], str] | None = None  # a word at the attempts' own door, answered by a JSON list
    asked: list[str] = field(default_factory=list)  # the paths of all requests, in order


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, answer = self._answer(body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_LOCK = do_UNLOCK = do_DELETE = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""

    def _answer(self, body: bytes) -> tuple[int, bytes]:
        store, path = self.server.store, urlsplit(self.path).path
        token = self._token()
        store.asked.append(path)
        if store.is_broken:
            return 503, b""
        if path in store.states:
            store.states[path].tokens.add(token)
        if token in store.closed or token not in store.jobs:
            return 401, b'{"code": "attempt_closed", "detail": "This attempt is over."}'
        if path.startswith("/agents/v1/attempt"):
            return self._of_attempt(path.removeprefix("/agents/v1/attempt").lstrip("/"), store.jobs[token], body)
        return self._state(store.states.setdefault(path, State()), body)

    def _of_attempt(self, path: str, job: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        store, name = self.server.store, path.rpartition("/")[2]
        if not path:
            return 200, json.dumps(self._job(job)).encode()
        if path == "words":
            return (200, store.hear(body.decode()).encode()) if store.hear else (404, b"")
        if path.startswith("configuration/"):
            return self._configuration(name, body)
        return self._part(store.parts.setdefault(job["task"], {}), name, body)

    def _job(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return the job, without the files where the agent says that it has those."""
        store, files = self.server.store, json.dumps(job["files"], sort_keys=True).encode()
        digest = hashlib.sha256(store.archive or files).hexdigest()
        given: dict[str, Any] = {"files": None, "archive": None}
        if parse_qs(urlsplit(self.path).query).get("configuration") != [digest]:
            store.downloads += 1
            stored = {"parts": -(-len(store.archive) // PART_BYTES), "is_known": bool(store.told)}
            given = {"archive": stored} if store.archive else {"archive": None, "files": job["files"]}
        return {**job, "configuration": digest, "files": None, **given}

    def _configuration(self, name: str, body: bytes) -> tuple[int, bytes]:
        """Answer a part of the archive, or take the list of its files."""
        if self.command == "PUT":
            self.server.store.told.append(json.loads(body))
            return 204, b""
        begin, archive = int(name) * PART_BYTES, self.server.store.archive
        part = archive[begin : begin + PART_BYTES]
        return 200, part[::-1] if self.server.store.is_swapped else part

    def _token(self) -> str:
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            return base64.b64decode(text).decode().partition(":")[2]
        return text

    def _part(self, parts: dict[str, bytes], name: str, body: bytes) -> tuple[int, bytes]:
        if self.command == "GET":
            return (200, parts[name]) if name in parts else (404, b"")
        if hashlib.sha256(body).hexdigest() != self.headers["X-Content-SHA256"]:
            return 400, b""
        parts[name] = body
        return 204, b""

    def _state(self, state: State, body: bytes) -> tuple[int, bytes]:
        state.asked.append(self.command)
        if self.command == "GET":
            return (200, state.body) if state.body else (204, b"")
        if state.is_over and self.command != "POST":
            return 409, b'{"code": "stale_epoch", "detail": "This attempt is over."}'
        if self.command == "LOCK":
            return self._lock(state, json.loads(body))
        if self.command == "UNLOCK":
            state.lock = None
            return 200, b""
        return self._write(state, body)

    def _lock(self, state: State, holder: dict[str, Any]) -> tuple[int, bytes]:
        if state.lock and state.lock["ID"] != holder["ID"]:
            return 423, json.dumps(state.lock).encode()
        state.lock = holder
        return 200, b""

    def _write(self, state: State, body: bytes) -> tuple[int, bytes]:
        if state.is_over:
            state.kept.append(body)
            return 409, b'{"code": "stale_epoch", "detail": "It is kept aside.", "kept_aside": 1}'
        if state.refuse:
            state.refuse -= 1
            return 400, b""
        if parse_qs(urlsplit(self.path).query).get("ID", [""])[0] != (state.lock or {}).get("ID", ""):
            return 409, b'{"code": "lock_lost"}'
        state.body = body
        state.history.append(json.loads(body)["serial"])
        return 200, b""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store: Store) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.store = store
