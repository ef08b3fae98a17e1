"""The plan phase: init, plan, show; its result goes to the server in parts."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

from agents.protocol import Changes, PlanFacts
from agents.runner import archive, configuration, engines, initializing, planfile, redaction, rendering, steps, verdicts
from agents.runner.errors import PhaseFailed
from agents.runner.folder import sha256
from agents.runner.providers import Providers
from agents.runner.steps import Step
from agents.runner.verdicts import Verdict
from agents.runner.workplace import Workplace

LOCK_TIMEOUT = "-lock-timeout=60s"

_CHANGES = 2
"""Exit status of `plan -detailed-exitcode` when there is something to apply; 0 when not."""


async def plan(place: Workplace, providers: Providers) -> Verdict:
    """Run the phase to its verdict."""
    init = await initializing.run(place, providers)
    if init.exit_code:
        return verdicts.of_failed_step(place, init)
    step = await steps.run(place, "planning", "plan", *_arguments(place))
    if step.exit_code not in (0, _CHANGES):
        return verdicts.of_failed_step(place, step)
    return await _stored(place, step)


def _arguments(place: Workplace) -> list[str]:
    return [
        f"-out={place.folder.plan}",
        "-detailed-exitcode",
        "-json",
        "-input=false",
        "-lock=false" if place.job.task_type == "plan" else LOCK_TIMEOUT,
        *(["-destroy"] if place.job.task_type == "destroy" else []),
        *place.variables,
    ]


async def _stored(place: Workplace, step: Step) -> Verdict:
    """Store the plan while `show` still reads it, and return what it is bound to."""
    uploads = asyncio.ensure_future(place.control.unless_stopped(_store_files(place)))
    try:
        shown = await steps.show(place)
        if shown.exit_code:
            return verdicts.of_failed_step(place, shown)
        members, text = await asyncio.to_thread(_read_plan, place)
        place.say(text)
        place.log.flush()
        place.outbox.send_log()
        await place.control.unless_stopped(_store(place, "json", place.folder.plan_json.read_bytes()))
        await uploads
    finally:
        uploads.cancel()
        await asyncio.gather(uploads, return_exceptions=True)
    return Verdict(outcome="planned", exit_code=step.exit_code, plan=_facts(place, step, members))


async def _store_files(place: Workplace) -> None:
    await _store(place, "file", place.folder.plan.read_bytes())
    await _store(place, "lock", _read(place.start / configuration.LOCK_FILE))
    await _store(place, "extras", await asyncio.to_thread(archive.pack, place.folder.config, place.known))


async def _store(place: Workplace, part: str, data: bytes) -> None:
    if data:
        await place.server.put_part(part, data, hashlib.sha256(data).hexdigest())


def _read_plan(place: Workplace) -> tuple[dict[str, Any], str]:
    """Redact the plan's JSON in its file; return the plan as it was shown, and its text for people."""
    try:
        members: dict[str, Any] = json.loads(place.folder.plan_json.read_bytes())
        text = rendering.plan(members)
        redacted = json.dumps(redaction.plan(members, place.masker.mask))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PhaseFailed(
            "plan_unreadable", f"The plan's JSON cannot be read ({type(error).__name__}: {error})."
        ) from error
    place.folder.plan_json.write_text(redacted)
    return members, text


def _facts(place: Workplace, step: Step, members: dict[str, Any]) -> PlanFacts:
    lineage, serial = planfile.state_of(place.folder.plan)
    counted = step.reading.changes
    return PlanFacts(
        digest=sha256(place.folder.plan),
        lineage=lineage,
        serial=serial,
        engine=place.binary.engine.name,
        version=place.binary.engine.version,
        os=engines.OS,
        arch=engines.ARCH,
        has_changes=step.exit_code == _CHANGES,
        changes=Changes(
            add=counted.add, change=counted.change, destroy=counted.destroy, outputs=planfile.changed_outputs(members)
        ),
    )


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
