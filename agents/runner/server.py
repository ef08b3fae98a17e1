"""The platform over HTTP, as one attempt sees it: its job, its plan's parts, its workspace's state, its reports."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import httpx

from agents import protocol
from agents.protocol import FromAgent, FromServer, ProtocolError
from agents.runner import backoff
from agents.runner.configuration import Entry
from agents.runner.errors import AttemptClosed, NotWelcome, PhaseFailed

USER = "attempt"
"""User name of the state address; the password is the attempt's token."""

_TIMEOUT = httpx.Timeout(60, connect=10)

Journal = logging.LoggerAdapter[logging.Logger]


def client() -> httpx.AsyncClient:
    """Return the HTTP client that all attempts of an agent share: making one costs as much as a short plan."""
    return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)


class AttemptServer:
    """The addresses of one attempt. Every call goes on through outages; it ends by its answer or by being dropped."""

    def __init__(self, http: httpx.AsyncClient, server: str, token: str, log: Journal) -> None:
        self._http = http
        self._server = f"{server}/"
        self._token = token
        self._log = log

    def absolute(self, address: str) -> str:
        """Return the address that a job names relative to the server."""
        return urljoin(self._server, address)

    async def job(self, known: str = "") -> dict[str, Any]:
        """Return the members of the attempt's job; `known`: digest of a configuration whose files need not come."""
        answer = await self._ask("GET", "agents/v1/attempt", params={"configuration": known} if known else {})
        members = answer.json() if answer.status_code == 200 else None
        if not isinstance(members, dict):
            raise PhaseFailed("job_invalid", f"The server did not give the job: {words(answer)}")
        return members

    async def configuration_part(self, number: int) -> bytes:
        """Return a part of the configuration's archive."""
        answer = await self._ask("GET", f"agents/v1/attempt/configuration/{number}")
        if answer.status_code != 200:
            raise PhaseFailed(
                "configuration_not_found", f"The server does not give the configuration's archive: {words(answer)}"
            )
        return answer.content

    async def tell_files(self, files: Mapping[str, Entry]) -> None:
        """Say what lies in the archive; what the server does not take of that is no reason to fail."""
        told = [{"path": path, "size": entry.size, "sha256": entry.sha256} for path, entry in files.items()]
        answer = await self._ask("PUT", "agents/v1/attempt/configuration/manifest", json=told)
        if not answer.is_success:
            self._log.warning("The server did not take the list of the archive's files: %s", words(answer))

    async def put_part(self, part: str, data: bytes, digest: str) -> None:
        """Store a part of the plan; `digest` is its hex SHA-256."""
        answer = await self._ask("PUT", _part(part), content=data, headers={"X-Content-SHA256": digest})
        if answer.status_code == 413:
            raise PhaseFailed(
                "plan_too_large", f"The plan's {part} has {len(data)} bytes, more than the server stores."
            )
        if not answer.is_success:
            raise PhaseFailed("plan_not_stored", f"The server did not store the plan's {part}: {words(answer)}")

    async def part(self, part: str) -> bytes:
        """Return a part of the confirmed plan."""
        answer = await self._ask("GET", _part(part))
        if answer.status_code != 200:
            raise PhaseFailed(
                "plan_not_found", f"The server does not give the confirmed plan's {part}: {words(answer)}"
            )
        return answer.content

    async def state(self, method: str, address: str, data: bytes, lock_id: str = "") -> httpx.Response:
        """Send a request of terraform's `http` backend and return the answer."""
        parameters = {"ID": lock_id} if lock_id else {}
        return await self._ask(
            method, self.absolute(address), content=data, params=parameters, auth=httpx.BasicAuth(USER, self._token)
        )

    async def say(self, word: FromAgent) -> list[FromServer]:
        """Say a word of the protocol about the attempt, and return the answer; a refused one raises `NotWelcome`."""
        answer = await self._ask("POST", "agents/v1/attempt/words", content=protocol.dump(word).encode())
        if answer.status_code != 200:
            raise NotWelcome(words(answer))
        try:
            return [protocol.parse_from_server(json.dumps(members)) for members in answer.json()]
        except (ValueError, TypeError, ProtocolError) as error:
            raise NotWelcome(
                "The server's answer is not a list of words; are agent and server of one release?"
            ) from error

    async def _ask(self, method: str, address: str, **arguments: Any) -> httpx.Response:
        arguments["headers"] = arguments.get("headers", {}) | self._credentials(arguments)
        for delay in backoff.delays(first=1, cap=30):
            answer = await self._try(method, self.absolute(address), arguments)
            if answer is not None:
                return answer
            await asyncio.sleep(delay)
        raise AssertionError("delays never end")

    def _credentials(self, arguments: dict[str, Any]) -> dict[str, str]:
        return {} if "auth" in arguments else {"Authorization": f"Bearer {self._token}"}

    async def _try(self, method: str, address: str, arguments: dict[str, Any]) -> httpx.Response | None:
        """Return the answer, None when a later try may go better, or raise `AttemptClosed`."""
        try:
            answer = await self._http.request(method, address, **arguments)
        except httpx.RequestError as error:
            self._log.warning("The server does not answer (%s); trying again.", type(error).__name__)
            return None
        if _is_closed(answer):
            raise AttemptClosed(words(answer))
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            self._log.warning("The server answered %s; trying again.", answer.status_code)
            return None
        return answer


def _part(part: str) -> str:
    return f"agents/v1/attempt/plan/{part}"


def is_kept_aside(answer: httpx.Response) -> bool:
    """Return whether the server refused a state and keeps it for people to look at."""
    return answer.status_code == 409 and "kept_aside" in _problem(answer)


def _is_closed(answer: httpx.Response) -> bool:
    is_stale = answer.status_code == 409 and _code(answer) == "stale_epoch" and not is_kept_aside(answer)
    return is_stale or answer.status_code in (401, 410)


def _code(answer: httpx.Response) -> str:
    return str(_problem(answer).get("code", ""))


def words(answer: httpx.Response) -> str:
    """Return the server's sentence."""
    detail = _problem(answer).get("detail")
    return str(detail)[:1000] if detail else f"HTTP status {answer.status_code}."


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        members = answer.json()
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
