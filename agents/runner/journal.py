"""The agent's own log: single lines on standard error, with the task where there is one."""

import logging


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        task = getattr(record, "task", None)
        record.__dict__["subject"] = f"task {task}: " if task else ""
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")


def open_journal() -> None:
    """Send the log to standard error. The libraries' own stay quiet: in debug they would print headers, with tokens."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(subject)s%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in ("websockets", "httpx", "httpcore", "asyncio"):
        logging.getLogger(name).setLevel(logging.ERROR)
