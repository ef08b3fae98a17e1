"""Who owns a data folder: locks of the kernel, never a process id.

Two files. `launcher.lock` is held by one launcher and by nothing that it starts. `server.lock` is inherited by the
server and by every process of it, so it is free only when the last of them has ended: a process id that was reused, a
zombie, or a backend that outlives a killed server cannot deceive it, in any container.
"""

import fcntl
import os
import time
from pathlib import Path

from iacplatform.postgres.errors import InUse, StillStopping
from iacplatform.postgres.place import Place

PAUSE_SECONDS = 0.02


class Lock:
    """An exclusive lock on a file, held until `release` or the end of every process that inherited it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def take(self) -> bool:
        """Return whether the lock is ours now."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give up this process's hold; the hold of a process that inherited it stays."""
        os.close(self.descriptor)


def own(place: Place) -> Lock:
    """Return the lock that makes the caller the place's launcher, or raise InUse."""
    lock = Lock(place.root / "launcher.lock")
    if not lock.take():
        holder = lock.path.read_text()
        lock.release()
        raise InUse(place.data, holder or "unknown")
    os.truncate(lock.descriptor, 0)
    os.write(lock.descriptor, str(os.getpid()).encode())
    return lock


def outlive_earlier_server(place: Place, seconds: float) -> Lock:
    """Return the server's lock once no process of an earlier server lives, or raise StillStopping."""
    lock = Lock(place.root / "server.lock")
    deadline = time.monotonic() + seconds
    while not lock.take():
        if time.monotonic() > deadline:
            lock.release()
            raise StillStopping(place.data, seconds)
        time.sleep(PAUSE_SECONDS)
    return lock
