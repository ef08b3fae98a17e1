from agents.models.agent import Agent

__all__ = ["Agent"]
