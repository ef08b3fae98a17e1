"""What the platform refuses, in words: the root of every app's `errors.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

Errors = Mapping[str, Sequence[str]]


class Problem(Exception):
    """A request that cannot be granted. One handler turns it into an RFC 9457 answer.

    `code` is for machines, `detail` a sentence that says what is the case and what to do, `errors` sentences by field,
    `extras` further members of the answer, `headers` of the HTTP response.
    """

    status = 409
    code = "conflict"

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        status: int = 0,
        errors: Errors | None = None,
        extras: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.status = status or self.status
        self.errors = errors or {}
        self.extras = extras or {}
        self.headers = headers or {}


class Invalid(Problem):
    """The request itself is wrong."""

    status = 400
    code = "invalid"


class Forbidden(Problem):
    """The caller may see the thing but not do this to it."""

    status = 403
    code = "forbidden"


class NotFound(Problem):
    """It does not exist, or not for this caller."""

    status = 404
    code = "not_found"


class InUse(Problem):
    """It cannot go while something needs it."""

    code = "in_use"


class TooLarge(Problem):
    """The body is larger than the limit."""

    status = 413
    code = "too_large"


class TryAgain(Problem):
    """Nothing is wrong with the request, but it could not be done in time."""

    status = 503
    code = "try_again"

    def __init__(self, detail: str, *, after_seconds: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(after_seconds)})
