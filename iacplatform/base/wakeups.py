"""Wake-ups: after a commit, tell those who look at the changed rows to look again, or what they would find.

A wake-up is a hint and may be lost; then the next sweep does its work. So a failure here is never the caller's.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import BaseChannelLayer, get_channel_layer
from django.db import connection, transaction

from iacplatform.base.channel_layer import PostgresChannelLayer

Hint = tuple[str, str]
"""Who is woken, a group, and the word that there is to pass on; empty: they are to look."""

logger = logging.getLogger(__name__)


def wake(group: str, word: str = "") -> None:
    """Send `{"type": "wake"}` to the group after the current transaction's commit; once, however often it is called.

    With a `word` the message has it as `word`, and each of a group's words is a message: what a look at the rows would
    find, ready to be passed on. Where a savepoint that asked for it was rolled back, and another call was not, a group
    may be woken for nothing, and a word may speak of what never was.
    """
    wakeups = _of_this_transaction()
    wakeups.hints.append((group, word))
    transaction.on_commit(wakeups)


def _of_this_transaction() -> "_Wakeups":
    hooks = (entry[1] for entry in reversed(connection.run_on_commit))
    known = (hook for hook in hooks if isinstance(hook, _Wakeups))
    return next(known, None) or _Wakeups()


class _Wakeups:
    """A transaction's wake-ups: registered for each, as a savepoint may take some back; the first that runs sends."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []

    def __call__(self) -> None:
        hints, self.hints = list(dict.fromkeys(self.hints)), []
        try:
            _send(hints)
        # Whatever it is: the transaction has committed, and the request that made it must not fail now.
        except Exception:
            groups = [group for group, _ in hints]
            logger.exception("Wake-ups were not sent; the next sweep makes up for them.", extra={"groups": groups})


def _send(hints: Sequence[Hint]) -> None:
    layer = get_channel_layer()
    if not layer or not hints:
        return
    messages = [(group, _message(word)) for group, word in hints]
    if isinstance(layer, PostgresChannelLayer):
        layer.publish(messages)
    else:
        async_to_sync(_send_each)(layer, messages)


def _message(word: str) -> dict[str, Any]:
    return {"type": "wake", "word": word} if word else {"type": "wake"}


async def _send_each(layer: BaseChannelLayer, messages: Iterable[tuple[str, dict[str, Any]]]) -> None:
    for group, message in messages:
        await layer.group_send(group, message)
