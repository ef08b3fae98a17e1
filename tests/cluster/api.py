"""The Kubernetes API as the tests and the process node speak it: paths, and objects as JSON."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import httpx

Object = dict[str, Any]

TIMEOUT_SECONDS = 20.0


class Refused(Exception):
    """The API server answered with a failure; `code` is HTTP's, `reason` and the message are the server's."""

    def __init__(self, response: httpx.Response) -> None:
        status = _status(response)
        super().__init__(f"{response.request.method} {response.url.path}: {status.get('message') or response.text}")
        self.code = response.status_code
        self.reason = str(status.get("reason", ""))


class Watch:
    """Changes of a list from now on: iterate over (type, object); `end` from any thread stops that."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        with closing(self._response):
            for line in self._response.iter_lines():
                change = json.loads(line)
                yield change["type"], change["object"]

    def end(self) -> None:
        """Stop it; whoever iterates sees the end or `httpx.TransportError`."""
        stream = self._response.extensions["network_stream"]
        with suppress(OSError):
            stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Identity:
    """How somebody reaches a cluster: its address, the certificate (PEM) of its authority where that is not known to
    all, and a token or the files of a certificate and its key.
    """

    url: str
    authority: str
    token: str = ""
    certificate: tuple[str, str] | None = None

    @property
    def trust(self) -> ssl.SSLContext:
        """What trusts this cluster, and is nobody."""
        return ssl.create_default_context(cadata=self.authority or None)

    @property
    def context(self) -> ssl.SSLContext:
        """What trusts this cluster, with the certificate of who asks, if there is one."""
        context = self.trust
        if self.certificate:
            context.load_cert_chain(*self.certificate)
        return context


class Api:
    """Raises `Refused` for a failure that the server tells, `httpx.TransportError` where it does not answer."""

    def __init__(self, identity: Identity) -> None:
        headers = {"Authorization": f"Bearer {identity.token}"} if identity.token else {}
        self._client = httpx.Client(
            base_url=identity.url, verify=identity.context, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False
        )

    def get(self, path: str, **parameters: str) -> Object:
        """Return an object, or a list with its `items` and `metadata`."""
        return self._ask("GET", path, params=parameters)

    def items(self, path: str, **parameters: str) -> list[Object]:
        """Return the objects of a list."""
        return list(self.get(path, **parameters)["items"])

    def create(self, path: str, thing: Object, **parameters: str) -> Object:
        """Create an object in the collection `path`."""
        return self._ask("POST", path, json=thing, params=parameters)

    def patch(self, path: str, change: Object, *, kind: str = "merge") -> Object:
        """Change an object: `kind` is merge or strategic-merge."""
        headers = {"Content-Type": f"application/{kind}-patch+json"}
        return self._ask("PATCH", path, content=json.dumps(change), headers=headers)

    def delete(self, path: str, *, grace: int | None = None, uid: str = "") -> None:
        """Delete an object, unless it is gone already; `grace` seconds as the server's own when None."""
        options: Object = {} if grace is None else {"gracePeriodSeconds": grace}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self._ask("DELETE", path, json=options)
        except Refused as error:
            if error.code != httpx.codes.NOT_FOUND:
                raise

    def watch(self, path: str, version: str, **parameters: str) -> Watch:
        """Return the changes after the resource version of a list; for at most five minutes."""
        asked = {**parameters, "watch": "1", "resourceVersion": version, "timeoutSeconds": "300"}
        request = self._client.build_request(
            "GET", path, params=asked, timeout=httpx.Timeout(TIMEOUT_SECONDS, read=None)
        )
        response = self._client.send(request, stream=True)
        if response.is_error:
            response.read()
            raise Refused(response)
        return Watch(response)

    def is_ready(self) -> bool:
        """Return whether the server says that all of it is ready."""
        try:
            return self._client.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """Let go of all connections."""
        self._client.close()

    def _ask(self, method: str, path: str, **more: Any) -> Object:
        response = self._client.request(method, path, **more)
        if response.is_error:
            raise Refused(response)
        answer: Object = response.json()
        return answer


def _status(response: httpx.Response) -> Object:
    try:
        status = response.json()
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}
