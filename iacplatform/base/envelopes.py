"""A hint on its way through PostgreSQL: small, ids and little more, since every process reads every one of them."""

import json
from dataclasses import dataclass
from typing import Any, Literal, Self

Message = dict[str, Any]
Kind = Literal["channel", "group"]

MAX_BYTES = 7999
"""The longest payload that NOTIFY takes (PostgreSQL manual, NOTIFY: "must be shorter than 8000 bytes")."""


class MessageTooLarge(ValueError):
    """The message does not fit into one notification."""

    def __init__(self, envelope: "Envelope", size: int) -> None:
        super().__init__(
            f"The message for {envelope.kind} {envelope.name} takes {size} bytes and {MAX_BYTES} are the limit; "
            "send the id of a row and have the receiver read the row."
        )


class MalformedEnvelope(ValueError):
    """The notification is not one of ours."""

    def __init__(self) -> None:
        super().__init__("A notification on our channel cannot be read; processes of one release alone may use it.")


@dataclass(frozen=True)
class Envelope:
    """A message and whom it is for."""

    origin: str  # the sending process: it has delivered to its own channels already
    kind: Kind
    name: str
    message: Message

    def payload(self) -> str:
        """Return it as ASCII text for NOTIFY, or raise MessageTooLarge."""
        text = json.dumps([self.origin, self.kind, self.name, self.message], separators=(",", ":"))
        if len(text) > MAX_BYTES:
            raise MessageTooLarge(self, len(text))
        return text

    @classmethod
    def parse(cls, payload: str) -> Self:
        """Return the envelope of a payload, or raise MalformedEnvelope."""
        try:
            envelope = cls(*json.loads(payload))
        except (TypeError, ValueError):
            raise MalformedEnvelope from None
        if not isinstance(envelope.name, str) or not isinstance(envelope.message, dict):
            raise MalformedEnvelope
        return envelope
