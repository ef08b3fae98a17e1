"""What happens after a commit."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import transaction


def afterwards(act: Callable[..., object], *args: Any) -> None:
    """Do it once the current transaction is committed, at once where there is none; a failure is logged, no more.

    Django logs it by the function's name, and a `partial`, which has none, would raise at that.
    """

    @wraps(act)
    def done() -> None:
        act(*args)

    transaction.on_commit(done, robust=True)
