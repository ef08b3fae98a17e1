"""Attempts that are over: an offer or a start of one of them comes late, and is not taken up again."""

from collections import OrderedDict

from agents.protocol import Work

_REMEMBERED = 1000


class Past:
    """The newest attempts that were forgotten."""

    def __init__(self) -> None:
        self._over: OrderedDict[Work, None] = OrderedDict()

    def __contains__(self, work: Work) -> bool:
        return work in self._over

    def add(self, work: Work) -> None:
        """Remember that the attempt is over."""
        self._over[work] = None
        if len(self._over) > _REMEMBERED:
            self._over.popitem(last=False)
