"""Calls to one cluster: each is taken from the cluster's budget first, and ends in an answer or one of our errors."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from pools import access, budgets, refusals
from pools.errors import TimeUp, Unreachable
from pools.models import K8sConfig
from pools.wire import Answer, Object, Wire

PAGE = 500
"""Objects in one answer."""

LOOK_SECONDS = 30
"""After this nothing more is asked: with the call that it is in, a look ends well before the time-out of its job."""


class Calls:
    """`urgent`: a person waits for them.

    Raises `Unreachable` where the config leads nowhere, `TimeUp` when the time is over.
    """

    def __init__(self, config: K8sConfig, *, urgent: bool) -> None:
        self._config_id, self._urgent, self._until = config.pk, urgent, time.monotonic() + LOOK_SECONDS
        self._wire = Wire(access.of(config))

    def close(self) -> None:
        """Let go of all connections."""
        self._wire.close()

    def items(self, path: str, kind: str, query: Mapping[str, str]) -> Iterator[Any]:
        """Yield what is in a list of this kind, page after page; an error may come after some of it."""
        token, whole = "", {**query, "limit": str(PAGE)}
        while True:
            page = self.done("GET", path, query={**whole, "continue": token} if token else whole)
            items, token = _page(page, kind)
            yield from items
            if not token:
                return

    def done(self, method: str, path: str, **request: Any) -> Object:
        """Return what the cluster answers to what it did; `request` as in `Wire.ask`."""
        return _content(self._ask(method, path, **request))

    def found(self, resource: str, method: str, path: str, **request: Any) -> Object | None:
        """Return the object, or None where the cluster says that it has none of this name."""
        answer = self._ask(method, path, **request)
        if answer.status == 404 and answer.reason == "NotFound" and answer.detail("kind") == resource:
            return None
        return _content(answer)

    def _ask(self, method: str, path: str, **request: Any) -> Answer:
        if time.monotonic() > self._until:
            raise TimeUp(f"It answers so slowly that {LOOK_SECONDS} seconds were not enough.")
        budgets.take(self._config_id, urgent=self._urgent)
        answer = self._wire.ask(method, path, **request)
        wait = refusals.retry_after(answer)
        if wait and not answer.is_success:
            budgets.hold(self._config_id, wait)
        return answer


def _content(answer: Answer) -> Object:
    if not answer.is_success:
        raise refusals.error(answer)
    if not answer.is_object:
        raise Unreachable(answer.words, answer.status)
    return answer.content


def _page(page: Object, kind: str) -> tuple[list[Any], str]:
    """Return what is on a page and what to ask the next one with, empty at the end.

    Raises `Unreachable` where this is no page, or the rest cannot be had.
    """
    items, metadata = page.get("items"), page.get("metadata")
    if page.get("kind") != kind or not isinstance(items, list) or not isinstance(metadata, dict):
        raise Unreachable(f"It answered with something that should be a {kind} and is none.")
    token = str(metadata.get("continue") or "")
    if metadata.get("remainingItemCount") and not token:
        raise Unreachable("It answered with a part of its list, and without a way to the rest.")
    return items, token
