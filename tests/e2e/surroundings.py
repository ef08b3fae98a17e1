"""Where the parts of a platform under test run: environment, addresses, folders; nothing of the test run's own."""

import os
import socket
from pathlib import Path

FOREIGN = ("IAC", "DATABASE_URL", "REDIS_URL", "DJANGO_", "TF_", "PYTEST_", "COV_", "ALLOWED_HOSTS")
"""Begin of the names of variables of the test run that must not reach the platform under test."""

SHORT_LEASE = {"IACPLATFORM_AGENT_LEASE_SECONDS": "6"}
"""Lets a server give up on agents within seconds."""


def of_platform(home: Path, url: str) -> dict[str, str]:
    """Return the environment of the server's parts."""
    ours = {"IACPLATFORM_HOME": str(home), "IACPLATFORM_URL": url, "PYTHONUNBUFFERED": "1"}
    ours["IACPLATFORM_POOL_STABLE_SECONDS"] = "1"  # who waits for a pod to go waits long enough for the next look
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)} | {
        **ours,
        "DJANGO_SETTINGS_MODULE": "iacplatform.settings",
    }


def daphne(url: str) -> list[str]:
    """Return the arguments of a web server at this address."""
    port = url.rpartition(":")[2]
    options = ["--verbosity", "0", "--no-server-name", "--application-close-timeout", "5"]
    return ["-m", "daphne", *options, "-b", "127.0.0.1", "-p", port, "iacplatform.asgi:application"]


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def of_agent(home: Path, url: str, name: str, token: str) -> dict[str, str]:
    """Return the environment of an agent."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "IAC_SERVER": url,
        "IAC_AGENT_TOKEN": token,
        "IAC_AGENT_NAME": name,
        "IAC_AGENT_WORKDIR": str(workdir(home, name)),
        "PYTHONUNBUFFERED": "1",
    }


def workdir(home: Path, name: str) -> Path:
    """Return the work folder of an agent."""
    return home / "agents" / name
