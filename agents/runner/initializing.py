"""`init`, and the proof that it left the state with the platform."""

import asyncio
import json

from agents.runner import configuration, steps
from agents.runner.errors import PhaseFailed
from agents.runner.providers import Providers
from agents.runner.steps import Step
from agents.runner.workplace import Workplace

_BUNDLED = "terraform.d/plugins"
"""Both engines take providers from there, whatever a registry has under their names: they are this workspace's own."""


async def run(place: Workplace, providers: Providers, *arguments: str) -> Step:
    """Run `init`, with the providers that the agent has already; those that it fetches are there for all tasks then."""
    if providers.is_waited_for:
        place.say("Another task fetches its providers: waits for that, as it may be the same ones.")
    async with providers.turn(place.control):
        step = await _init(place, providers, arguments)
    if step.exit_code == 0:
        _check_backend(place)
    return step


async def _init(place: Workplace, providers: Providers, arguments: tuple[str, ...]) -> Step:
    cache, lock_file = place.folder.providers, place.start / configuration.LOCK_FILE
    await asyncio.to_thread(providers.lend, cache, lock_file)
    step = await steps.run(place, "initializing", "init", "-input=false", "-no-color", *arguments)
    if step.exit_code == 0 and not (place.start / _BUNDLED).is_dir():
        await asyncio.to_thread(providers.adopt, cache)
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
