"""Stands between the platform and an API server, counts what goes through, and lets scripted faults happen.

An answer is passed on when all of it is there, so nothing can be watched through it; the platform never does that.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.cluster.api import Identity
from tests.cluster.credentials import Credentials
from tests.cluster.faults import Fault
from tests.cluster.proxy_server import ProxyServer
from tests.cluster.traffic import Request


@dataclass
class Rule:
    """A fault for the requests that match, from the `nth` of them on, `times` times (None: always); `hits` counts."""

    fault: Fault
    method: str
    path: re.Pattern[str]
    nth: int
    times: int | None
    seen: int = 0
    hits: int = 0
    is_removed: bool = False

    def remove(self) -> None:
        """Let it happen no more; who hangs in it hangs until `heal`."""
        self.is_removed = True

    def catches(self, request: Request) -> bool:
        """Count a request, and return whether the fault is to happen to it."""
        if self.is_removed or self.method not in {"", request.method} or not self.path.search(request.path):
            return False
        self.seen += 1
        is_due = self.seen >= self.nth and (self.times is None or self.hits < self.times)
        self.hits += is_due
        return is_due


class FaultProxy:
    """A context: it listens at `url`, with the certificate of `credentials`, and passes on to `target`."""

    def __init__(self, target: Identity, credentials: Credentials) -> None:
        self.requests: list[Request] = []
        self.witnesses: list[Callable[[Request], None]] = []
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._server = ProxyServer(target, credentials, self._arrived)

    def __enter__(self) -> "FaultProxy":
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """The address for kubeconfigs."""
        return self._server.url

    def fault(self, fault: Fault, *, method: str = "", path: str = "", nth: int = 1, times: int | None = 1) -> Rule:
        """Let a fault happen to requests of a method whose path with its query holds the pattern `path`; the first
        rule that catches a request has it.
        """
        rule = Rule(fault, method, re.compile(path), nth, times)
        with self._lock:
            self._rules.append(rule)
        return rule

    def heal(self) -> None:
        """Remove all rules, and let go of the requests that they hold."""
        with self._lock:
            self._rules.clear()
        self._server.release()

    def sever(self) -> None:
        """Break every connection that is open now."""
        self._server.sever()

    def count(self, verb: str | None = None, resource: str | None = None) -> int:
        """Return how many requests there were of a verb and a resource."""
        return sum(verb in {None, seen.verb} and resource in {None, seen.resource} for seen in list(self.requests))

    def forget(self) -> None:
        """Count from zero again."""
        self.requests.clear()

    def _arrived(self, request: Request) -> Fault | None:
        """Note a request, and tell who wants to know; return what is to happen to it."""
        for witness in self.witnesses:
            witness(request)
        with self._lock:
            self.requests.append(request)
            caught = [rule for rule in self._rules if rule.catches(request)]
        return caught[0].fault if caught else None
