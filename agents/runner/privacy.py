"""What others of the same user may read of this process: the pool token is in its environment."""

import ctypes
import os
import sys

_PR_SET_DUMPABLE = 4


def close() -> None:
    """Make new files private; on Linux also /proc/<pid>/environ and the memory, which a task's code could read."""
    os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
