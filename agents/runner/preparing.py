"""From a job to a workplace: the folder, the engine, the files, the variables, and for an apply the confirmed plan."""

import asyncio
import hashlib
import io
from pathlib import Path

from agents.runner import archive, configuration, engines, environment, fetching, survivor, tree, variables, warmth
from agents.runner.engines import Binary
from agents.runner.errors import PhaseFailed
from agents.runner.folder import TaskFolder
from agents.runner.jobs import Job, StoredPlan
from agents.runner.masking import Masker
from agents.runner.tools import Tools
from agents.runner.workplace import Assignment, Workplace


def open_folder(folder: TaskFolder, job: Job) -> bool:
    """Make the folder ready; say whether it is still the untouched one that the job's plan was made in."""
    if not survivor.end_harmless(folder.engine_note):
        raise PhaseFailed("folder_busy", f"An apply that outlived its agent still runs in {folder.root}; wait for it.")
    is_warm = job.plan is not None and warmth.is_intact(folder, job)
    folder.break_seal()
    if not is_warm:
        folder.renew()
    return is_warm


def masker(job: Job, token: str) -> Masker:
    """Return what keeps the secrets of a job out of its log."""
    return Masker([*variables.sensitive_values(job.variables), token])


async def workplace(tools: Tools, assignment: Assignment, is_warm: bool) -> Workplace:
    """Return the prepared phase, or raise `PhaseFailed`. A warm folder holds all of it already."""
    job = assignment.job
    binary = await assignment.control.unless_ended(_engine(tools, assignment))
    assignment.say(f"Agent {tools.options.name}: {job.phase} with {binary.engine.name} {binary.engine.version}.")
    start, known = await _laid_out(assignment, is_warm)
    place = Workplace(
        **vars(assignment),
        binary=binary,
        isolation=tools.isolation,
        start=start,
        known=known,
        is_warm=is_warm,
        environment=_environment(tools, assignment),
        variables=variables.write(job.variables, assignment.folder.run),
    )
    if job.plan and not is_warm:
        await place.control.unless_ended(_fetch(place, job.plan))
    return place


async def _laid_out(assignment: Assignment, is_warm: bool) -> tuple[Path, dict[str, str]]:
    """Return the folder that the engine runs in, with the configuration's files; a warm one stays as it is."""
    job, root = assignment.job, assignment.folder.config
    if is_warm:
        assignment.say("The folder is as the plan left it: no second download, no second init.")
        return configuration.start(root, job.working_directory), {}
    files = await fetching.bring(assignment)
    start = configuration.begin(root, job.working_directory, job.engine)
    return start, {path: entry.sha256 for path, entry in files.items()}


async def _engine(tools: Tools, assignment: Assignment) -> Binary:
    job, plan = assignment.job, assignment.job.plan
    if plan is None:
        return await tools.depot.engine(job.engine, job.version, assignment.say)
    if (plan.os, plan.arch) != (engines.OS, engines.ARCH):
        here = f"agent {tools.options.name} is {engines.OS}_{engines.ARCH}"
        raise PhaseFailed("engine_missing", f"The plan was made on {plan.os}_{plan.arch}; {here}.")
    return await tools.depot.engine(plan.engine, plan.version, assignment.say)


def _environment(tools: Tools, assignment: Assignment) -> dict[str, str]:
    state_url = assignment.server.absolute(assignment.job.state_url)
    return {
        **tools.environment,
        **tools.isolation.environment(),
        **environment.private(assignment.folder.providers, assignment.folder.home),
        **variables.environment(assignment.job.variables),
        **environment.state(state_url, assignment.token),
    }


async def _fetch(place: Workplace, plan: StoredPlan) -> None:
    """Bring the stored plan into the folder: the plan file, the provider lock, the files that the plan phase made."""
    place.folder.plan.write_bytes(await _part(place, plan, "file"))
    if "extras" in plan.parts:
        extras = io.BytesIO(await _part(place, plan, "extras"))
        await asyncio.to_thread(archive.unpack, extras, place.folder.config, archive.EXTRAS)
    if "lock" in plan.parts:
        tree.write_file(place.start, configuration.LOCK_FILE, await _part(place, plan, "lock"))


async def _part(place: Workplace, plan: StoredPlan, part: str) -> bytes:
    data = await place.server.part(part)
    if hashlib.sha256(data).hexdigest() != plan.parts.get(part):
        raise PhaseFailed("plan_damaged", f"The stored plan's {part} is not what was confirmed: its SHA-256 differs.")
    return data
