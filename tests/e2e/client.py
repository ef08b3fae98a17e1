"""The platform as any client sees it: its HTTP API."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx

from tests.waiting import ENOUGH_SECONDS

BUSY = httpx.codes.SERVICE_UNAVAILABLE

Row = dict[str, Any]


class Client:
    """A caller with an API token. Refusals that a test does not expect fail it, with the problem's words."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self._http = caller(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Return the answer to a request below `/api/v1`, whatever its status; a 503 is asked again, as it says."""
        began = time.monotonic()
        while (answer := self._http.request(method, path, json=body, **options)).status_code == BUSY:
            if time.monotonic() - began > ENOUGH_SECONDS:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        return answer

    def get(self, path: str, **options: Any) -> Any:
        """Return the JSON at `path`."""
        return _good("GET", path, self.send("GET", path, **options)).json()

    def post(self, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """Return the JSON of the answer; `status`: the one it must have."""
        answer = _good("POST", path, self.send("POST", path, body))
        assert status in (None, answer.status_code), f"POST {path}: {answer.status_code}, not {status}: {answer.text}"
        return answer.json() if answer.content else None

    def patch(self, path: str, body: Any) -> Any:
        """Return the JSON of the answer."""
        return _good("PATCH", path, self.send("PATCH", path, body)).json()

    def delete(self, path: str) -> None:
        """Delete what is at `path`."""
        _good("DELETE", path, self.send("DELETE", path))

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 409) -> Row:
        """Return the problem that a request is answered with."""
        answer = self.send(method, path, body)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code}, not {status}: {answer.text}"
        problem: Row = answer.json()
        assert problem["status"] == status, problem
        return problem

    def pool(self) -> tuple[str, str]:
        """Return a new static pool's id and a token that lets agents into it."""
        pool = self.post("/pools", {"name": f"pool-{uuid4().hex[:8]}", "pool_type": "static"}, status=201)
        return pool["pool_id"], self.token_of(pool["pool_id"])["token"]

    def token_of(self, pool_id: str) -> Row:
        """Return a new token of a pool: `id` and `token`."""
        row: Row = self.post(f"/pools/{pool_id}/tokens", {}, status=201)
        return row

    def agent(self, name: str) -> Row:
        """Return the agent of this name."""
        return next(row for row in self.rows("/agents") if row["name"] == name)

    def rows(self, path: str) -> Iterator[Row]:
        """Yield the rows of a list, page after page: other tests have left theirs in it."""
        following: str | None = path
        while following:
            page = self.get(following)
            yield from page["results"]
            following = page["next"]


def caller(**options: Any) -> httpx.Client:
    """Return what makes a connection of its own for each request: a killed server leaves no dead one in a pool.

    To make one costs more than most requests, for it reads all certificate authorities: keep it.
    """
    return httpx.Client(limits=httpx.Limits(max_keepalive_connections=0), **options)


def _good(method: str, path: str, answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, f"{method} {path}: {answer.status_code}: {answer.text}"
    return answer
