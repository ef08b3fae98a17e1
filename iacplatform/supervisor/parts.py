"""The parts of the platform: which programs, in which environment, with which sign of life."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from iacplatform.postgres.locks import Lock
from iacplatform.supervisor.listener import Listener
from iacplatform.supervisor.service import Rank, Service, Step, answers, lasts, says

STARTERS_SECRETS = ("IACPLATFORM_ADMIN_PASSWORD", "IACPLATFORM_BOOTSTRAP_TOKEN")
"""Only the step that makes the account gets these."""
PLATFORM_ONLY = ("IACPLATFORM_", "DATABASE_URL", "REDIS_URL", "DJANGO_", "ALLOWED_HOSTS")
"""Begin of the names of variables that an agent, and so every engine and its providers, must not see."""
SETTLED_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Makes the parts for one data folder and one web address.

    `folder`: where manage.py is; `environment`: what the command itself was started with.
    """

    folder: Path
    home: Path
    listener: Listener
    environment: Mapping[str, str]

    @property
    def public_url(self) -> str:
        """The address (http…) under which people and agents reach the web server."""
        return self.environment.get("IACPLATFORM_URL") or self.listener.address

    def database(self) -> Service:
        command = [*_python("-m", "iacplatform.postgres"), "--home", str(self.home)]
        environment = self._platform_environment()
        return Service(
            name="database", command=command, environment=environment, rank=Rank.DATABASE, sign=says("ready")
        )

    def migrations(self) -> Step:
        return Step(
            name="migrate", command=self._manage("migrate", "-v", "0"), environment=self._platform_environment()
        )

    def bootstrap(self) -> Step:
        return Step(
            name="bootstrap", command=self._manage("bootstrap", "--json"), environment=self._shared_environment()
        )

    def web(self) -> Service:
        descriptor = self.listener.socket.fileno()
        # Verbosity 0 leaves out the access log: agents ask many times a second.
        options = ["--verbosity", "0", "--no-server-name", "--application-close-timeout", "5", "--fd", str(descriptor)]
        return Service(
            name="web",
            command=_python("-m", "daphne", *options, "iacplatform.asgi:application"),
            # Without collectstatic the finders serve the static files; whitenoise warns that their folder is absent.
            environment={**self._platform_environment(), "PYTHONWARNINGS": "ignore:No directory at:UserWarning"},
            rank=Rank.PLATFORM,
            sign=answers(f"{self.listener.address}/healthz", urlsplit(self.public_url).netloc),
            descriptors=[descriptor],
        )

    def jobs(self) -> Service:
        return Service(
            name="jobs",
            command=self._manage("qcluster"),
            environment=self._platform_environment(),
            rank=Rank.PLATFORM,
            sign=lasts(SETTLED_SECONDS),
            # The database goes at the same moment, for which django-q2 pauses ten seconds before it heeds a SIGTERM.
            # What it has forked ends with it (agents/leash.py).
            orphaned=signal.SIGKILL,
        )

    def agent(self, number: int, token_file: Path) -> Service:
        """Return the built-in agent `local-<number>`, numbers from 1; its token is in a file, not in its arguments."""
        name = f"local-{number}"
        workdir = self.home / "agents" / name
        environment = {
            **_without(self.environment, PLATFORM_ONLY),
            "IAC_SERVER": self.public_url,
            "IAC_AGENT_TOKEN_FILE": str(token_file),
            "IAC_AGENT_NAME": name,
            "IAC_AGENT_WORKDIR": str(workdir),
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("IAC_AGENT_TOKEN", None)
        return Service(
            name=name,
            command=_python("-m", "agents.runner"),
            environment=environment,
            rank=Rank.WORK,
            obstacle=partial(_still_used, workdir),
            sign=lasts(SETTLED_SECONDS),
        )

    def _manage(self, *arguments: str) -> list[str]:
        return _python(str(self.folder / "manage.py"), *arguments)

    def _platform_environment(self) -> dict[str, str]:
        return _without(self._shared_environment(), STARTERS_SECRETS)

    def _shared_environment(self) -> dict[str, str]:
        ours = {"IACPLATFORM_HOME": str(self.home), "IACPLATFORM_URL": self.public_url, "PYTHONUNBUFFERED": "1"}
        return {"DJANGO_SETTINGS_MODULE": "iacplatform.settings", **self.environment, **ours}


def _still_used(workdir: Path) -> str:
    """Say whether an agent of an earlier run, which was killed, still finishes its work in the folder."""
    if not workdir.exists():
        return ""
    lock = Lock(workdir / "lock")
    try:
        return (
            "" if lock.take() else f"An agent of an earlier run finishes its work in {workdir}; this one waits for it."
        )
    finally:
        lock.release()


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _without(environment: Mapping[str, str], beginnings: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(beginnings)}
