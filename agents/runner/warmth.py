"""The proof that a task's folder is as its plan left it: then the apply needs neither a download nor another `init`.

The seal is written when the plan has ended, and names the plan file, what the job gave, and all that lies in the
configuration's folder. Of the providers it names sizes and times only: they are large, and the engine itself checks
them against the lock file each time it starts one.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from agents.runner import configuration
from agents.runner.folder import TaskFolder, sha256
from agents.runner.jobs import Job

_PROVIDERS = (".terraform", "providers")


def seal(folder: TaskFolder, job: Job) -> None:
    """Write down what the plan leaves. A folder that cannot be read has no seal, and is built anew for the apply."""
    with suppress(OSError):
        folder.seal.write_text(json.dumps(_facts(folder, job)))


def is_intact(folder: TaskFolder, job: Job) -> bool:
    """Say whether this is the folder of the job's confirmed plan, with nothing changed, added or gone."""
    try:
        sealed = _sealed(folder)
        facts = _facts(folder, job)
        lock = _lock_digest(folder, job)
    except (OSError, ValueError):
        return False
    plan = job.plan
    return plan is not None and sealed == facts and facts["plan"] == plan.digest and lock == plan.parts.get("lock", "")


def sealed_configuration(folder: TaskFolder) -> str:
    """Return the digest of the configuration that a plan has left here, so far as nobody has looked; else empty."""
    try:
        return str(_sealed(folder)["given"]["configuration"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _sealed(folder: TaskFolder) -> Any:
    return json.loads(folder.seal.read_text())


def _facts(folder: TaskFolder, job: Job) -> dict[str, Any]:
    given = {"configuration": job.configuration, "working_directory": job.working_directory}
    return {"plan": sha256(folder.plan), "given": given, "tree": _tree(folder.config)}


def _lock_digest(folder: TaskFolder, job: Job) -> str:
    lock = folder.config / job.working_directory / configuration.LOCK_FILE
    return sha256(lock) if lock.is_file() else ""


def _tree(root: Path) -> str:
    """Return a digest of all names below `root` with what they are."""
    digest = hashlib.sha256()
    for path in _walk(root):
        digest.update(json.dumps([path.relative_to(root).as_posix(), *_entry(path, root)]).encode())
    return digest.hexdigest()


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root, onerror=_raise):
        folders.sort()
        yield from (Path(folder, name) for name in sorted([*folders, *files]))


def _entry(path: Path, root: Path) -> list[object]:
    status = path.lstat()
    if path.is_symlink():
        return ["link", str(path.readlink()), *_behind(path)]
    if not path.is_file():
        return ["other", status.st_mode]
    if _is_provider(path.relative_to(root).parts):
        return ["provider", status.st_mode, status.st_size, status.st_mtime_ns]
    return ["file", status.st_mode, sha256(path)]


def _behind(link: Path) -> list[object]:
    """Return what a link leads to: a provider of the shared cache is a folder of a few files; None when it is gone."""
    if not link.exists():
        return [None]
    places = [link, *sorted(link.iterdir())] if link.is_dir() else [link]
    statuses = [(place.name, place.stat()) for place in places]
    return [[name, status.st_mode, status.st_size, status.st_mtime_ns] for name, status in statuses]


def _is_provider(parts: tuple[str, ...]) -> bool:
    return any(parts[index : index + 2] == _PROVIDERS for index in range(len(parts) - 1))


def _raise(error: OSError) -> None:
    raise error
