"""Where the parts of a platform under test run: environment, addresses, folders; nothing of the test run's own."""

import os
import secrets
import socket
from pathlib import Path

from tests import bare

FOREIGN = ("IAC", "DATABASE_URL", "REDIS_URL", "DJANGO_", "TF_", "PYTEST_", "COV_", "ALLOWED_HOSTS")
"""Begin of the names of variables of the test run that must not reach the platform under test."""

SHORT_LEASE = {"IACPLATFORM_AGENT_LEASE_SECONDS": "12"}
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


LOWEST_PORT = 10_000
LOWEST_GIVEN_AWAY = 32_768
"""Linux' own default: net.ipv4.ip_local_port_range."""


def free_port() -> int:
    """Return a port that nobody listens at.

    It lies below those that the system gives away by itself: whoever listens there a second time, after a restart, would
    find it taken by somebody's connection.
    """
    port = LOWEST_PORT + secrets.randbelow(LOWEST_GIVEN_AWAY - LOWEST_PORT)
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return free_port()
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
        "IAC_AGENT_TERRAFORM_MIRROR": "",
        "IAC_AGENT_TOFU_MIRROR": "",
        "PYTHONPATH": str(bare.FOLDER),
        "PYTHONUNBUFFERED": "1",
    }


def workdir(home: Path, name: str) -> Path:
    """Return the work folder of an agent."""
    return home / "agents" / name
