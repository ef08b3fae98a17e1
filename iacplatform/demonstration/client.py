"""The platform's API for a program with a token."""

from types import TracebackType
from typing import Any, Self

import httpx

from iacplatform.demonstration.errors import NoAnswer, Refused


class Client:
    """A context that talks to the API below `url` (http…). Its methods raise Refused or NoAnswer."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        # The platform runs on this machine: no proxy stands between.
        self._http = httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=30.0, trust_env=False)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON at `path`."""
        return (await self._send("GET", path, params=query)).json()

    async def post(self, path: str, body: Any = None) -> Any:
        """Send `body` to `path` and return the JSON of the answer, None when there is none."""
        answer = await self._send("POST", path, json=body if body is not None else {})
        return answer.json() if answer.content else None

    async def patch(self, path: str, body: Any) -> Any:
        """Change what is at `path` and return it."""
        return (await self._send("PATCH", path, json=body)).json()

    async def _send(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **rest)
        except httpx.TransportError as error:
            raise NoAnswer(method, path, str(error) or type(error).__name__) from error
        if answer.is_error:
            raise Refused(method, path, answer.status_code, _detail(answer))
        return answer


def _detail(answer: httpx.Response) -> str:
    """Return the sentence of a problem (RFC 9457), or the beginning of whatever came."""
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:200]
    fields = problem.get("errors") or ""
    return f"{problem.get('detail', problem)} {fields}".strip()
