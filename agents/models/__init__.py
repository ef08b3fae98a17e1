from agents.models.agent import Agent
from agents.models.silence import Silence

__all__ = ["Agent", "Silence"]
