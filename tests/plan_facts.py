"""What a plan says that it is bound to, as agents of tests report it."""

from typing import Any

from agents.protocol import Changes, PlanFacts


def plan_facts(digest: str = "0" * 64, *, add: int = 1) -> PlanFacts:
    """Return the facts of a plan that adds so many resources to an empty state."""
    engine: dict[str, Any] = {"engine": "terraform", "version": "1.11.4", "os": "linux", "arch": "amd64"}
    changes = Changes(add=add, change=0, destroy=0)
    return PlanFacts(digest=digest, lineage="", serial=0, has_changes=True, changes=changes, **engine)
