"""Wake-ups: after a commit, tell those who look at the changed rows to look again.

A wake-up is a hint and may be lost; then the next sweep does its work. So a failure here is never the caller's.
"""

import logging
from collections.abc import Iterable

from asgiref.sync import async_to_sync
from channels.layers import BaseChannelLayer, get_channel_layer
from django.db import connection, transaction

from iacplatform.base.channel_layer import PostgresChannelLayer

logger = logging.getLogger(__name__)


def wake(group: str) -> None:
    """Send `{"type": "wake"}` to the group after the current transaction's commit; once, however often it is called.

    Where a rolled back savepoint asked for it too, a group may be woken for nothing.
    """
    wakeups = _of_this_transaction()
    wakeups.groups.append(group)
    transaction.on_commit(wakeups)


def _of_this_transaction() -> "_Wakeups":
    hooks = (entry[1] for entry in reversed(connection.run_on_commit))
    known = (hook for hook in hooks if isinstance(hook, _Wakeups))
    return next(known, None) or _Wakeups()


class _Wakeups:
    """A transaction's wake-ups: registered for each, as a savepoint may take some back; the first that runs sends."""

    def __init__(self) -> None:
        self.groups: list[str] = []

    def __call__(self) -> None:
        groups, self.groups = list(dict.fromkeys(self.groups)), []
        try:
            _send(groups)
        # Whatever it is: the transaction has committed, and the request that made it must not fail now.
        except Exception:
            logger.exception("Wake-ups were not sent; the next sweep makes up for them.", extra={"groups": groups})


def _send(groups: list[str]) -> None:
    layer = get_channel_layer()
    if not layer or not groups:
        return
    if isinstance(layer, PostgresChannelLayer):
        layer.publish(groups, {"type": "wake"})
    else:
        async_to_sync(_send_each)(layer, groups)


async def _send_each(layer: BaseChannelLayer, groups: Iterable[str]) -> None:
    for group in groups:
        await layer.group_send(group, {"type": "wake"})
