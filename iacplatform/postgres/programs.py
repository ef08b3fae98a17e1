"""Runs PostgreSQL's programs: under the server's account, inside its folders, bound to the launcher's life."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from iacplatform.postgres.binaries import Binaries
from iacplatform.postgres.errors import StartFailed
from iacplatform.postgres.locks import Lock
from iacplatform.postgres.log import Log
from iacplatform.postgres.place import Place

HERE = "/proc/self/cwd"
"""The data folder as its own processes see it: by no path, so no parent needs to let their account through."""
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that a program gets: the platform's environment holds secrets, and PGPORT and the like would mislead."""
PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Programs:
    """The programs for one place; whatever they start holds `lock` until it ends."""

    place: Place
    binaries: Binaries
    lock: Lock
    log: Log

    def start(self, name: str, *arguments: str, folder: Path, last_signal: signal.Signals) -> subprocess.Popen[str]:
        """Start a program inside `folder`; it gets `last_signal` when the calling thread dies."""
        return subprocess.Popen(
            [self.binaries.program(name), *arguments],
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self.log.descriptor,
            text=True,
            pass_fds=(self.lock.descriptor,),
            start_new_session=True,  # Ctrl-C in a terminal is for the launcher alone
            preexec_fn=partial(_end_with_parent, os.getpid(), last_signal),  # noqa: PLW1509 (two system calls, no lock)
            **self.place.account.identity(),
        )

    def run(self, name: str, *arguments: str, folder: Path, script: str = "") -> None:
        """Run a program to its end with `script` on its standard input; raises StartFailed when it fails."""
        with self.start(name, *arguments, folder=folder, last_signal=signal.SIGTERM) as process:
            try:
                process.communicate(script)
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            raise StartFailed(f"could not run {name}", self.log.path, self.log.reason())


def options(settings: Mapping[str, str]) -> list[str]:
    """Return server settings as arguments."""
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]


def _end_with_parent(parent: int, last_signal: signal.Signals) -> None:
    # After the change of account: that clears the setting. The parent may have died just before.
    _libc.prctl(PR_SET_PDEATHSIG, int(last_signal))
    if os.getppid() != parent:
        os._exit(1)
