"""Answers that an API server would not give, as faults of the proxy."""

import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.faults import Exchange, Reply

JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Raw:
    """These very bytes, and nothing is carried out."""

    body: bytes
    code: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def happen(self, exchange: Exchange) -> None:
        """Send them."""
        exchange.send(Reply(self.code, [JSON, *self.headers], self.body))


def json_answer(code: int, **members: Any) -> Raw:
    """Return an answer with these members."""
    return Raw(json.dumps(members).encode(), code)
