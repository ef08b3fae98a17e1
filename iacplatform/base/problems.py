"""What the platform refuses, in words: the root of every app's `errors.py`, and how the database's own refusals map."""

from collections.abc import Mapping, Sequence

Errors = Mapping[str, Sequence[str]]


class Problem(Exception):
    """A request that cannot be granted. One handler turns it into an RFC 9457 answer.

    `code` is for machines, `detail` a sentence that says what is the case and what to do, `errors` sentences by field.
    """

    status = 409
    code = "conflict"

    def __init__(self, detail: str, *, code: str = "", status: int = 0, errors: Errors | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.status = status or self.status
        self.errors = errors or {}


class Invalid(Problem):
    """The request itself is wrong."""

    status = 400
    code = "invalid"


class Forbidden(Problem):
    """The caller may see the thing but not do this to it."""

    status = 403
    code = "forbidden"


class TooLarge(Problem):
    """The body is larger than the limit."""

    status = 413
    code = "too_large"
