"""Run as a script: becomes the command of its arguments, which the kernel kills when the thread that started it ends.

A script and not `preexec_fn`, which may hang in a process of several threads; it imports next to nothing.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - an argument vector, as everywhere
