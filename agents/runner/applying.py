"""The apply phase: init (not in a warm folder), the permit, apply; nothing is applied without the permit."""

import asyncio
import re

from agents.runner import initializing, planning, rescue, steps, verdicts
from agents.runner.engines import Binary
from agents.runner.providers import Providers
from agents.runner.verdicts import Verdict
from agents.runner.workplace import Workplace

_TAKES_VARIABLES = {"terraform": (1, 10), "tofu": (1, 8)}
"""First versions that take variables again with a saved plan; ephemeral ones must be given. Older ones refuse them."""


async def apply(place: Workplace, providers: Providers, permit: asyncio.Event) -> Verdict:
    """Run the phase to its verdict."""
    if not place.is_warm:
        init = await initializing.run(place, providers, *_lock_file(place))
        if init.exit_code:
            return verdicts.of_failed_step(place, init)
    place.outbox.ask_permit()
    await place.control.unless_ended(permit.wait())
    step = await steps.run(place, "applying", "apply", *_arguments(place))
    await rescue.save_state(place)
    if step.exit_code:
        return verdicts.of_failed_step(place, step)
    return Verdict(outcome="applied")


def _lock_file(place: Workplace) -> list[str]:
    """Hold `init` to the providers of the plan, where it had any."""
    has_lock = place.job.plan is not None and "lock" in place.job.plan.parts
    return ["-lockfile=readonly"] if has_lock else []


def _arguments(place: Workplace) -> list[str]:
    variables = place.variables if _takes_variables(place.binary) else []
    return ["-json", "-input=false", planning.LOCK_TIMEOUT, *variables, str(place.folder.plan)]


def _takes_variables(binary: Binary) -> bool:
    numbers = tuple(int(number) for number in re.findall(r"\d+", binary.engine.version)[:2])
    return numbers >= _TAKES_VARIABLES[binary.engine.name]
