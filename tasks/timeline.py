"""What happened to a task, as one list, read from the rows that say it: nothing is stored for the list's sake.

Each source names its rows by time; the database merges the names and cuts out a part, and only that part is read. So a
task with thousands of entries costs no more than one with a few.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.expressions import Combinable

from tasks.models import Task


class Kind(StrEnum):
    """What sort of thing happened."""

    MOVE = "move"
    OFFER = "offer"
    ACCEPT = "accept"
    PERMIT = "permit"
    RESERVATION = "reservation"
    HEARTBEAT_GAP = "heartbeat_gap"
    STATE = "state"
    RETRY = "retry"
    FAILURE = "failure"
    """Dispatching itself failed."""
    EVIDENCE = "evidence"
    """What a lost agent said late."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened. `text` says what, `cause` why; `attempt`, within its phase, and `epoch`: of whom."""

    at: datetime
    kind: Kind
    text: str
    actor: str = ""
    cause: str = ""
    attempt: int | None = None
    epoch: int | None = None


Entries = Mapping[Any, Entry]
"""By the primary key of the row that says it."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows of one sort. `rows`: those of a task; `at`: when it happened; `read`: the entries of the rows named."""

    rows: Callable[[Task], QuerySet[Any]]
    at: str | Combinable
    read: Callable[[Task, Sequence[Any]], Entries]
    key: str = "pk"

    def named(self, task: Task, number: int) -> QuerySet[Any, Any]:
        """Return the rows as (moment, number of this source, key)."""
        at = F(self.at) if isinstance(self.at, str) else self.at
        rows = self.rows(task).order_by().annotate(moment=at, source=Value(number), row=F(self.key))
        named: QuerySet[Any, Any] = rows.values_list("moment", "source", "row")
        return named


class Timeline:
    """The entries of a task, oldest first: sliced like a list, and counted up to a limit."""

    def __init__(self, task: Task, sources: Sequence[Source]) -> None:
        self.task, self.sources = task, sources

    def __getitem__(self, part: slice) -> list[Entry]:
        """Return the entries of this part."""
        return self._read(self._named().order_by("moment", "source", "row")[part])

    def newest(self, most: int) -> list[Entry]:
        """Return the newest entries, at most so many; the oldest of them first."""
        return self._read(self._named().order_by("-moment", "-source", "-row")[:most])[::-1]

    def mark(self) -> str:
        """Return a text that is another one after each new entry; no entry is read for it."""
        return repr(list(self._named().order_by("-moment", "-source", "-row")[:1]))

    def count_up_to(self, most: int) -> int:
        """Return how many entries there are; it stops to count at `most`."""
        return int(self._named()[:most].count())

    def _named(self) -> QuerySet[Any, Any]:
        first, *others = (source.named(self.task, number) for number, source in enumerate(self.sources))
        return first.union(*others, all=True)

    def _read(self, names: Iterable[tuple[datetime, int, Any]]) -> list[Entry]:
        named = [(number, row) for _, number, row in names]
        wanted: dict[int, list[Any]] = defaultdict(list)
        for number, row in named:
            wanted[number].append(row)
        found = {number: self.sources[number].read(self.task, rows) for number, rows in wanted.items()}
        # What was deleted in this moment is no longer told.
        return [found[number][row] for number, row in named if row in found[number]]
