"""A pool of a test's own, with the agents that the test starts and the workspaces that run on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.e2e.client import Client
from tests.e2e.parts import Part
from tests.e2e.platform import Platform
from tests.e2e.work import Workspace
from tests.waiting import until


@dataclass(kw_only=True)
class Crew:
    """Agents of one static pool. Names are the test's own: other pools may use them too."""

    platform: Platform
    client: Client
    pool_id: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, platform: Platform) -> Self:
        """Return a new pool, with a token, and without agents."""
        client = platform.client()
        pool_id, token = client.pool()
        return cls(platform=platform, client=client, pool_id=pool_id, token=token)

    @property
    def place(self) -> dict[str, str]:
        """What makes a workspace run here."""
        return {"execution_mode": "agent", "pool_id": self.pool_id}

    def agent(self, name: str, **options: Any) -> Part:
        """Return an agent that is connected; the same name again is the same agent in the same work folder."""
        return self.platform.agent(self._full(name), self.token, **options)

    def part(self, name: str) -> Part:
        """Return the process of an agent that was started."""
        return self.platform.agents[self._full(name)]

    def agent_id(self, name: str) -> str:
        """Return the id that the platform gave an agent."""
        agent_id: str = self.client.agent(self._full(name))["agent_id"]
        return agent_id

    def until_gone(self, name: str) -> None:
        """Return when the platform knows that an agent is no longer connected; it hears of an end a little later."""
        until(f"{name} is gone", lambda: not self.client.agent(self._full(name))["connected"])

    def workdir(self, name: str) -> Path:
        """Return the work folder of an agent."""
        return self.platform.workdir(self._full(name))

    def engines(self, name: str) -> list[int]:
        """Return the processes of engines that run in an agent's work folder, with those that they started."""
        return self.platform.engines(self._full(name))

    def workspace(self, files: Mapping[str, str] | None = None, **facts: Any) -> Workspace:
        """Return a new workspace that runs here."""
        return Workspace.new(self.client, files, **{**self.place, **facts})

    def _full(self, name: str) -> str:
        return f"{name}-{self.pool_id[-6:]}"
