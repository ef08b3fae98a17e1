"""What waits for the channels of one event loop: hints in bounded queues, reached by channel or by group.

Only the thread of that loop may use them.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy

from iacplatform.base.envelopes import Envelope, Message


class ChannelNotOpen(RuntimeError):
    """The channel is not open in this event loop."""

    def __init__(self, channel: str) -> None:
        super().__init__(f"Channel {channel} is not open in this event loop; use a name that new_channel() gave in it.")


class Mailbox:
    """The hints that wait for one channel: at most `capacity`, then one "resync" for all that found no room."""

    def __init__(self, capacity: int) -> None:
        self.groups: set[str] = set()
        self._capacity = capacity
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()
        self._ends_with_resync = False

    def put(self, message: Message) -> None:
        """Add a copy of the message, or mark that one was dropped."""
        if self._waiting.qsize() >= self._capacity:
            return self.resync()
        self._ends_with_resync = False
        return self._waiting.put_nowait(deepcopy(message))

    def resync(self) -> None:
        """Have the receiver read its rows again; while it has not, saying it once is enough."""
        if not self._ends_with_resync:
            self._ends_with_resync = True
            self._waiting.put_nowait({"type": "resync"})

    async def get(self) -> Message:
        """Return the oldest hint; wait for one when there is none."""
        message = await self._waiting.get()
        self._ends_with_resync = self._ends_with_resync and not self._waiting.empty()
        return message


class Mailboxes:
    """The open channels of one event loop, and the groups that they are in."""

    def __init__(self, capacity_of: Callable[[str], int]) -> None:
        self._capacity_of = capacity_of
        self._by_channel: dict[str, Mailbox] = {}
        self._by_group: defaultdict[str, set[Mailbox]] = defaultdict(set)

    def __contains__(self, channel: str) -> bool:
        return channel in self._by_channel

    def __len__(self) -> int:
        """Return how many channels and groups are kept."""
        return len(self._by_channel) + len(self._by_group)

    def __getitem__(self, channel: str) -> Mailbox:
        return self._by_channel[channel]

    def open(self, channel: str) -> None:
        """Keep what comes for the channel from now on."""
        if channel not in self._by_channel:
            # Not the caller's object: its end is what closes the channel.
            self._by_channel[str(channel)] = Mailbox(self._capacity_of(channel))

    def close(self, channel: str) -> None:
        """Forget the channel, its hints and its groups."""
        if mailbox := self._by_channel.pop(channel, None):
            for group in tuple(mailbox.groups):
                self._leave(group, mailbox)

    def join(self, group: str, channel: str) -> None:
        """Put an open channel in the group."""
        mailbox = self[channel]
        mailbox.groups.add(group)
        self._by_group[group].add(mailbox)

    def leave(self, group: str, channel: str) -> None:
        """Take the channel out of the group, if it is in it."""
        if mailbox := self._by_channel.get(channel):
            self._leave(group, mailbox)

    def _leave(self, group: str, mailbox: Mailbox) -> None:
        mailbox.groups.discard(group)
        self._by_group[group].discard(mailbox)
        if not self._by_group[group]:
            del self._by_group[group]

    def put(self, envelope: Envelope) -> None:
        """Give the message to the open channels that it is addressed to."""
        for mailbox in self._addressed(envelope):
            mailbox.put(envelope.message)

    def _addressed(self, envelope: Envelope) -> tuple[Mailbox, ...]:
        if envelope.kind == "group":
            return tuple(self._by_group.get(envelope.name, ()))
        mailbox = self._by_channel.get(envelope.name)
        return (mailbox,) if mailbox else ()

    def resync(self) -> None:
        """Have every receiver read its rows again."""
        for mailbox in self._by_channel.values():
            mailbox.resync()
