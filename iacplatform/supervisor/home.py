"""One `manage.py up` in a data folder at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iacplatform.postgres.locks import Lock
from iacplatform.supervisor.errors import HomeInUse


@contextmanager
def owned(home: Path) -> Iterator[None]:
    """Hold the data folder, which is made if it is new; raises HomeInUse when another process holds it."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(home / "up.lock")
    try:
        if not lock.take():
            raise HomeInUse(home, lock.path.read_text() or "unknown")
        os.truncate(lock.descriptor, 0)
        os.write(lock.descriptor, str(os.getpid()).encode())
        yield
    finally:
        lock.release()
