"""The engine configuration file that a user gives an agent (IAC_AGENT_CLI_CONFIG), judged by those who read it."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from agents.runner import engines
from agents.runner.errors import BadConfiguration

_SECONDS = 20
_FRAME = re.compile("[│╷╵]")


def check(path: Path, environment: Mapping[str, str]) -> None:
    """Raise `BadConfiguration` where an engine of PATH finds a fault in the file, with its words.

    An engine goes on with what it could read: it would ask the registry where a mirror was meant, in task after task.
    """
    for name in engines.NAMES:
        binary = shutil.which(name, path=environment["PATH"])
        if binary and (words := _complaint(binary, environment)):
            raise BadConfiguration(f"IAC_AGENT_CLI_CONFIG names {path}, in which {name} finds a fault: {words}")


def _complaint(binary: str, environment: Mapping[str, str]) -> str:
    """Return what the engine says against its configuration file; empty when it says nothing."""
    try:
        said = subprocess.run(
            [binary, "version", "-json"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        ).stderr.decode(errors="replace")
    except (OSError, subprocess.SubprocessError):
        return ""  # an engine that cannot be started is not the file's fault
    _, _, error = _FRAME.sub("", said).partition("Error: ")
    words, _, _ = error.partition("As a result of")
    return " ".join(words.split())
