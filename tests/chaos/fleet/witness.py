"""Stands beside the way to the cluster, and asks of each pod that is to be deleted whether it holds a lease."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg

from tests.chaos.rows import Rows
from tests.cluster.traffic import Request

_HELD: LiteralString = "SELECT id, status, lease FROM tasks_task WHERE pod_name = %s AND lease <> ''"


@dataclass
class Witness:
    """A pod whose removal has begun gets no new lease, so that none may be there when the call is made.

    `deleted`: names of pods that we asked the end of; `unjudged`: how many of them while the database was away;
    `broken`: what must not have been, as sentences.
    """

    home: Path = Path()
    deleted: list[str] = field(default_factory=list)
    unjudged: int = 0
    broken: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> None:
        """Judge a request before it reaches the cluster."""
        if request.resource == "pods" and request.verb in {"delete", "deletecollection"}:
            name = urlsplit(request.path).path.rpartition("/")[2]
            self.deleted.append(name)
            self._judge(name)

    def _judge(self, name: str) -> None:
        try:
            held = Rows(self.home).all(_HELD, name)
        except psycopg.OperationalError:
            self.unjudged += 1
            return
        self.broken += [f"pod {name} is deleted by us, and holds a lease: {lease}" for lease in held]
