"""Terraform's `http` backend as the fake engine speaks it: the same requests, and as stubborn."""

import base64
import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

ANSWER_SECONDS = 10
PATIENCE_SECONDS = 45
"""How long a request is tried again while the platform does not answer; terraform's own is about two minutes."""

LOCK_SECONDS = 60
PAUSE_SECONDS = 1.0
"""Between two tries, as terraform pauses: the fake has to load the platform no more than that does."""

State = dict[str, Any]


class Refused(Exception):
    """The platform said no, or nothing for too long."""


class Backend:
    """The state of one workspace, with the credentials that the agent gave the engine."""

    def __init__(self) -> None:
        self._address = os.environ["TF_HTTP_ADDRESS"]
        secret = f"{os.environ['TF_HTTP_USERNAME']}:{os.environ['TF_HTTP_PASSWORD']}".encode()
        self._authorization = f"Basic {base64.b64encode(secret).decode()}"
        self._lock = json.dumps({"ID": str(uuid.uuid4()), "Operation": "OperationTypeApply", "Who": "fake@engine"})

    @property
    def workspace(self) -> str:
        """The workspace's id."""
        return self._address.split("/workspaces/")[1].split("/")[0]

    def read(self) -> State:
        """Return the newest state; empty while there is none."""
        text = self._send("GET", self._address)
        state: State = json.loads(text) if text else {}
        return state

    def lock(self) -> None:
        """Take the lock, and wait for whoever holds it."""
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                self._send("LOCK", self._address, self._lock.encode())
                return
            except urllib.error.HTTPError as refusal:
                if refusal.code not in (409, 423) or time.monotonic() > deadline:
                    raise Refused(f"LOCK: {refusal.code}") from refusal
            time.sleep(PAUSE_SECONDS)

    def unlock(self) -> None:
        """Let go of the lock."""
        self._send("UNLOCK", self._address, self._lock.encode())

    def store(self, content: bytes) -> None:
        """Return when the platform has the state."""
        lock_id = json.loads(self._lock)["ID"]
        self._send("POST", f"{self._address}?ID={lock_id}", content)

    def _send(self, method: str, address: str, body: bytes | None = None) -> bytes:
        """Return the answer's body; try again while there is none, or one that says that the server is in trouble."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._once(method, address, body)
            except urllib.error.HTTPError as refusal:
                if refusal.code < 500 or time.monotonic() > deadline:
                    raise
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > deadline:
                    raise Refused(f"{method}: {type(error).__name__}") from error
            time.sleep(PAUSE_SECONDS)

    def _once(self, method: str, address: str, body: bytes | None) -> bytes:
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        if body is not None:
            headers["Content-MD5"] = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        request = urllib.request.Request(address, data=body, method=method, headers=headers)  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - ours
            content: bytes = answer.read()
            return content
