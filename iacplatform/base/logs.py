"""One line a record: fixed text, then the facts that came in `extra`, then at most the traceback's own lines."""

import logging

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}


class Line(logging.Formatter):
    """`12:00:41 INFO agents.dispatcher: Dispatched. pool=pool-1 offers=2`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line with its facts."""
        facts = {key: value for key, value in vars(record).items() if key not in _STANDARD and key not in _DJANGO}
        return " ".join([super().formatMessage(record), *(f"{key}={value}" for key, value in facts.items())])


_DJANGO = frozenset({"request", "status_code", "server_time", "sql", "params", "duration", "alias"})
