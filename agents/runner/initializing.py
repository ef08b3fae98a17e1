"""`init`, and the proof that it left the state with the platform."""

import asyncio
import json

from agents.runner import steps
from agents.runner.errors import PhaseFailed
from agents.runner.steps import Step
from agents.runner.workplace import Workplace


async def run(place: Workplace, one_at_a_time: asyncio.Lock, *arguments: str) -> Step:
    """Run `init`. One at a time for an agent: two at once break the provider cache that they share."""
    await place.control.unless_ended(one_at_a_time.acquire())
    try:
        step = await steps.run(place, "initializing", "init", "-input=false", "-no-color", *arguments)
    finally:
        one_at_a_time.release()
    if step.exit_code == 0:
        _check_backend(place)
    return step


def _check_backend(place: Workplace) -> None:
    """Refuse a configuration whose own override file, read after ours, leads the state elsewhere."""
    try:
        backend = json.loads((place.start / ".terraform" / "terraform.tfstate").read_text())["backend"]
        is_ours = backend["type"] == "http" and not any((backend.get("config") or {}).values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_ours = False
    if not is_ours:
        raise PhaseFailed(
            "configuration_invalid",
            "The configuration sets its own backend in an override file: remove that, the platform keeps the state.",
        )
