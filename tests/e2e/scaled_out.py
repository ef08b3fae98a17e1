"""The platform on several machines, as docs/scaling-out.md has it: PostgreSQL and Redis of their own, all else twice."""

import secrets
from pathlib import Path

from iacplatform.postgres import address
from tests.e2e import surroundings
from tests.e2e.client import Client
from tests.e2e.parts import Part
from tests.e2e.platform import Platform
from tests.redis_server import RedisServer


class ScaledOut(Platform):
    """Two web servers (`url`, `second_url`) and two job clusters that share addresses and keys, and no folder."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.redis = RedisServer(home)
        self.environment = {**self.environment, **self._shared()}
        self.second_url = f"http://127.0.0.1:{surroundings.free_port()}"
        self.web = self._machine("web-1", *surroundings.daphne(self.url))
        self.jobs = self._machine("jobs-1", "manage.py", "qcluster")
        self.second_web = self._machine("web-2", *surroundings.daphne(self.second_url))
        self.second_jobs = self._machine("jobs-2", "manage.py", "qcluster")

    def rest(self) -> None:
        """End all processes."""
        super().rest()
        self.redis.kill()

    def second_client(self) -> Client:
        """Return the administrator's way in by the second web server."""
        return self.client(self.second_url)

    def _shared(self) -> dict[str, str]:
        return {
            "DATABASE_URL": address(self.home),
            "REDIS_URL": self.redis.url,
            "IACPLATFORM_HOME": str(self.home / "nobody"),
            "IACPLATFORM_SECRET_KEY": secrets.token_urlsafe(64),
            "IACPLATFORM_ENCRYPTION_KEYS": f"one:{secrets.token_hex(32)}",
        }

    def _machine(self, name: str, *command: str) -> Part:
        return self.part(name, *command, IACPLATFORM_HOME=str(self.home / name))

    def _begin(self) -> None:
        self.redis.start()
        self.prepare()
        self.more += [self.second_web, self.second_jobs]
        self.jobs.start()
        self.second_jobs.start()
        self.start_web()
        self.start_web(self.second_web, self.second_url)
