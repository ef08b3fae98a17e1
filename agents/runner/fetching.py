"""A configuration's way from the server into the work folder, as texts or as an archive."""

import asyncio
import hashlib
from collections.abc import Mapping

from agents.runner import archive, configuration
from agents.runner.archive import Unpacked
from agents.runner.configuration import Entry
from agents.runner.errors import PhaseFailed
from agents.runner.jobs import StoredArchive
from agents.runner.workplace import Assignment


async def bring(assignment: Assignment) -> Mapping[str, Entry]:
    """Put the configuration's files below the task's folder; return them by path. Raises `PhaseFailed`."""
    job, root = assignment.job, assignment.folder.config
    if job.archive:
        return await _archive(assignment, job.archive)
    if not job.has_files:
        raise PhaseFailed("job_invalid", "The server did not give the configuration's files.")
    return await asyncio.to_thread(configuration.write, job.files, root)


async def _archive(assignment: Assignment, stored: StoredArchive) -> Mapping[str, Entry]:
    await assignment.control.unless_ended(_download(assignment, stored))
    unpacked = await asyncio.to_thread(_unpack, assignment)
    assignment.folder.archive.unlink()
    skipped = f"; {unpacked.skipped} in .terraform are left out" if unpacked.skipped else ""
    assignment.say(f"The configuration's archive holds {len(unpacked.files)} files{skipped}.")
    if not stored.is_known:
        await assignment.control.unless_ended(assignment.server.tell_files(unpacked.files))
    return unpacked.files


async def _download(assignment: Assignment, stored: StoredArchive) -> None:
    """Bring the archive part by part: a lost connection costs one part, and no more than one is held in memory."""
    digest = hashlib.sha256()
    with assignment.folder.archive.open("wb") as file:
        for number in range(stored.parts):
            part = await assignment.server.configuration_part(number)
            digest.update(part)
            file.write(part)
    if digest.hexdigest() != assignment.job.configuration:
        raise PhaseFailed("configuration_damaged", "The archive is not what was uploaded: its SHA-256 differs.")


def _unpack(assignment: Assignment) -> Unpacked:
    with assignment.folder.archive.open("rb") as file:
        unpacked = archive.unpack(file, assignment.folder.config, archive.CONFIGURATION)
    configuration.judge(unpacked.files)
    return unpacked
