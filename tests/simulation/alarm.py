"""What only the log would know: an error that somebody caught, and went on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django.db import OperationalError

from agents.sweep import RowsFailed

KNOWN = (OperationalError, RowsFailed)
"""A process waited for another one for too long; rows whose own errors were logged before."""


class Alarm(logging.Handler):
    """Keeps the errors that were logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, unless that may happen."""
        fault = record.exc_info[1] if record.exc_info else None
        if not isinstance(fault, KNOWN):
            self.heard.append(f"{record.name}: {record.getMessage()} {fault!r}")

    def check(self) -> None:
        """Fail where something was heard."""
        heard, self.heard = self.heard, []
        assert not heard, f"only the log knows: {heard}"


ALARM = Alarm()


@contextmanager
def listening() -> Iterator[None]:
    """Hear errors, and nothing less: thousands of lines about dispatching would cost more than dispatching."""
    logging.disable(logging.WARNING)
    try:
        with mock.patch.object(logging.getLogger(), "handlers", [ALARM]):
            yield
    finally:
        logging.disable(logging.NOTSET)
