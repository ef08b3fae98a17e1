"""What a cluster can answer that is no success. `words` are the cluster's own wherever it said any."""

LONGEST = 2000
"""Characters of a cluster's words that are kept."""


class ClusterError(Exception):
    """A call to a cluster that did not do what was asked. `status` is HTTP's; 0: there was no answer."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words[:LONGEST])
        self.words = words[:LONGEST]
        self.status = status


class Unreachable(ClusterError):
    """No answer, an answer too late, a server error, or an answer that is broken: nothing is known of what it did."""


class TimeUp(Unreachable):
    """The time of a look was over before the call, so that nothing was asked."""


class Denied(ClusterError):
    """The cluster does not know us (401), or does not let us do this (403)."""


class QuotaExceeded(ClusterError):
    """A quota of the namespace is used up."""


class Throttled(ClusterError):
    """The cluster (429), or our own budget of calls, wants no call for `retry_after` seconds."""

    def __init__(self, words: str, retry_after: float, status: int = 0) -> None:
        super().__init__(words, status)
        self.retry_after = retry_after


class Refused(ClusterError):
    """The cluster will not take this: its form is wrong, its namespace is missing, or an admission check says no."""


class NameTaken(ClusterError):
    """Something that is not ours, or not of this row, bears the name."""


class Replaced(ClusterError):
    """Another object bears the name now; the one that was meant is gone."""
