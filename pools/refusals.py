"""Which of our errors an answer is that is no success."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pools.errors import ClusterError, Denied, NameTaken, QuotaExceeded, Refused, Replaced, Throttled, Unreachable
from pools.wire import Answer

RETRY_AFTER_SECONDS = 1.0
"""Where the cluster throttles and does not say for how long."""

# Authorizers name the user; admission checks name only the object, and webhooks themselves.
_BY_ADMISSION = re.compile(r'is forbidden: (?!User ")|^admission webhook ')
_BY_QUOTA = re.compile(r"\bexceeded quota: ")
_OF_FORM = frozenset({400, 404, 405, 413, 415, 422})


def error(answer: Answer) -> ClusterError:
    """Return the error that the answer is."""
    status, words = answer.status, answer.words
    if status == 429:
        return Throttled(words, retry_after(answer) or RETRY_AFTER_SECONDS, status)
    if status == 401:
        return Denied(words, status)
    if status == 403:
        return _forbidden(words)
    if status == 409:
        return _conflict(answer, words)
    if status in _OF_FORM and answer.is_of_kubernetes:
        return Refused(words, status)
    return Unreachable(words, status)


def retry_after(answer: Answer) -> float | None:
    """Return the seconds for which the cluster wants no call, if it says so: a number, or a date of HTTP."""
    text = answer.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _forbidden(words: str) -> ClusterError:
    if _BY_QUOTA.search(words):
        return QuotaExceeded(words, 403)
    return Refused(words, 403) if _BY_ADMISSION.search(words) else Denied(words, 403)


def _conflict(answer: Answer, words: str) -> ClusterError:
    if answer.detail("kind") == "resourcequotas":
        # Two creations counted the quota at once; the API server asks the later one to come again.
        return Throttled(words, RETRY_AFTER_SECONDS, 409)
    return NameTaken(words, 409) if answer.reason == "AlreadyExists" else Replaced(words, 409)
