"""What callers were answered, and what the platform promised by it."""

import time
from collections import Counter
from dataclasses import dataclass, field

CREATED = "created"
"""A promise that a task exists."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`status` 0: none came, so nobody knows what the request did. `at`: seconds since the epoch."""

    at: float
    what: str
    status: int
    text: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether it says that the platform broke, rather than that it cannot serve just now."""
        return self.status >= 500 and self.status != 503


@dataclass(frozen=True)
class Promise:
    """A request about a task that was answered with success: a verb, or `CREATED`; `digest` of a confirmed plan."""

    verb: str
    task: int
    digest: str = ""


@dataclass
class Answers:
    """All of them. `sent`: digests that people sent with a confirmation, whatever came back; by task."""

    given: list[Answer] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    sent: dict[int, set[str]] = field(default_factory=dict)

    def note(self, what: str, status: int, text: str = "") -> None:
        """Write an answer down."""
        self.given.append(Answer(at=time.time(), what=what, status=status, text=text[:500]))

    def promised(self, verb: str, task: int, digest: str = "") -> None:
        """Write down that the platform said yes."""
        self.promises.append(Promise(verb, task, digest))

    def confirming(self, task: int, digest: str) -> None:
        """Write down that somebody wants this plan applied."""
        self.sent.setdefault(task, set()).add(digest)

    def by_status(self) -> Counter[int]:
        """Return how often each status came; 0: no answer."""
        return Counter(answer.status for answer in self.given)

    def faults(self) -> list[Answer]:
        """Return the answers that say that the platform broke."""
        return [answer for answer in self.given if answer.is_fault]
