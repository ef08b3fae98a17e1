"""The agent in a pod: it lives as long as its container, and speaks with the token of its pod's secret."""

from dataclasses import dataclass

from agents import sessions
from agents.sessions import Rejected
from tests.simulation.agent import Agent


@dataclass(kw_only=True)
class PodAgent(Agent):
    """`uid`: of its pod; `text`: of the token that the container was given. `is_over`: its process has ended."""

    uid: str
    text: str
    is_over: bool = False

    def connect(self) -> None:
        """Connect where its process runs, and the token lets it in."""
        token = None if self.is_over else sessions.token_of(self.text)
        if token is None:
            return
        self.token = token
        try:
            super().connect()
        except Rejected:
            self.session = None

    def stop(self) -> None:
        """Its container is told to end: it takes nothing new, and ends when it has nothing left to do."""
        if not self.leaving:
            self.leave()
        if not self.runs:
            self.kill(noticed=True)

    def kill(self, *, noticed: bool) -> None:
        """Its container ends at once."""
        self.is_over = True
        self.die(noticed=noticed)
