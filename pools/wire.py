"""One request to a cluster and its answer, through the official client; every failure is one of `pools.errors`.

The client gets its address and credentials from the config alone: no default kubeconfig, no proxy of the environment,
no program to run. It follows no redirect and tries nothing twice. Of an answer that is not Kubernetes' own nothing is
quoted: whoever may write a K8s config chooses what this server connects to, and must not read other services with it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.client import BadStatusLine, RemoteDisconnected, UnknownProtocol
from typing import Any

from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from pools import timely
from pools.access import Access
from pools.errors import Unreachable

CONNECT_SECONDS = 3
READ_SECONDS = 10
LARGEST_ANSWER = 32 * 1024 * 1024

_OWN_NAMES = re.compile(r"^\w+\(host=[^)]*\): ")
NOTHING: Mapping[str, str] = {}

Object = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """`content`: the JSON object that was answered. `headers` have lower-case names. `hidden`: what no word shows."""

    status: int
    headers: Mapping[str, str]
    content: Object
    hidden: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_of_kubernetes(self) -> bool:
        """Whether it is a `Status`, as Kubernetes answers what it does not do."""
        return self.content.get("kind") == "Status"

    @property
    def is_object(self) -> bool:
        """Whether it is something of Kubernetes; its version is the one thing without a kind."""
        return bool(self.content.keys() & {"kind", "gitVersion"})

    @property
    def words(self) -> str:
        """What the cluster says about it."""
        message = self.content.get("message")
        if self.is_of_kubernetes and isinstance(message, str) and message:
            return _without(self.hidden, message)
        return f"It answered {self.status}, and not as Kubernetes does. Is the address that of a Kubernetes API?"

    @property
    def reason(self) -> str:
        return str(self.content.get("reason") or "") if self.is_of_kubernetes else ""

    def detail(self, name: str) -> str:
        """Return a member of the status' details, such as `kind`."""
        details = self.content.get("details")
        return str(details.get(name) or "") if isinstance(details, dict) else ""


class Wire:
    """A client of one cluster; `close` lets go of its connections."""

    def __init__(self, access: Access) -> None:
        self._server, self._secrets = access.server, access.secrets
        self._client = _client(access)

    def close(self) -> None:
        """Let go of all connections."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = NOTHING,
        body: Object | None = None,
        kind: str = "application/json",
        hidden: Iterable[str] = (),
    ) -> Answer:
        """Return the cluster's answer, whatever it is; raise `Unreachable` where there is none, or half of one.

        `kind`: the type of the body. `hidden`: texts that no message may show, besides the config's own secrets.
        """
        headers = {"Accept": "application/json", "Content-Type": kind}
        secrets = (*self._secrets, *hidden)
        try:
            request = self._client.param_serialize(
                method, path, None, list(query.items()), headers, body, auth_settings=["BearerToken"]
            )
            raw = self._client.call_api(*request, _request_timeout=(CONNECT_SECONDS, READ_SECONDS)).response
            return _answer(raw, secrets)
        except (HTTPError, ApiException, OSError, UnicodeError) as error:
            raise Unreachable(_without(secrets, f"No answer from {self._server}: {_why(error)}")) from error
        except ValueError:
            # Of Python's own client: it quotes the header that it does not send, which is the token.
            raise Unreachable("A part of the kubeconfig cannot be sent, such as a token with blanks.") from None


def _client(access: Access) -> ApiClient:
    # Empty, not None: None would take the environment's proxies.
    configuration = Configuration(host=access.server, proxy=access.proxy, no_proxy="", retries=False)
    configuration.verify_ssl = access.verify
    configuration.tls_server_name = access.server_name or None
    if access.token:
        configuration.api_key["BearerToken"] = f"Bearer {access.token}"
    client = ApiClient(configuration)
    client.user_agent = "iacplatform"
    manager = client.rest_client.pool_manager
    manager.connection_pool_kw["ssl_context"], manager.pool_classes_by_scheme = access.context(), timely.POOLS
    return client


def _answer(raw: Any, hidden: tuple[str, ...]) -> Answer:
    headers = {name.lower(): value for name, value in raw.headers.items()}
    try:
        answer = Answer(raw.status, headers, _parsed(_whole(raw), raw.status), hidden)
    except BaseException:
        # What is left of a broken answer must not be taken for the next one.
        raw.close()
        raise
    raw.release_conn()
    return answer


def _without(secrets: tuple[str, ...], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "[hidden]")
    return text


def _whole(raw: Any) -> bytes:
    """Return all of an answer's body, which is not larger than any that Kubernetes gives."""
    pieces, size = [], 0
    while piece := raw.read1(64 * 1024, decode_content=False):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise Unreachable(f"Its answer has more than {LARGEST_ANSWER:,} bytes.", raw.status)
    return b"".join(pieces)


def _parsed(body: bytes, status: int) -> Object:
    try:
        # What a container wrote last may hold it, and no database takes it.
        content = json.loads(body.replace(b"\\u0000", b"\\ufffd"))
    except (ValueError, RecursionError) as error:
        if status >= 300:
            return {}
        raise Unreachable("It answered something that is not JSON, or not all of it.", status) from error
    return content if isinstance(content, dict) else {}


def _why(error: Exception) -> str:
    """Return why there was no answer, without the client's names of its own parts."""
    if isinstance(error, ApiException):
        return " ".join(str(error.reason).split("\n")[1:])
    if _is_of_another_protocol(error):
        return "what is there does not speak HTTP."
    return _OWN_NAMES.sub("", ": ".join(str(part) for part in error.args[-1:] or [error]))


def _is_of_another_protocol(error: Exception) -> bool:
    last = error.args[-1] if error.args else None
    return isinstance(last, BadStatusLine | UnknownProtocol) and not isinstance(last, RemoteDisconnected)
