"""What an attempt has to do, as the server gives it over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.protocol import Phase
from agents.runner.errors import PhaseFailed

TaskType = Literal["plan", "plan_and_apply", "destroy"]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable of the workspace as it was when the task was created. `hcl`: the value is an expression."""

    key: str
    value: str = field(repr=False)
    category: Literal["terraform", "env"]
    hcl: bool
    sensitive: bool


@dataclass(frozen=True, kw_only=True)
class StoredPlan:
    """The confirmed plan. `parts`: name (file, json, lock, extras) to hex SHA-256; only those that exist."""

    digest: str
    engine: str
    version: str
    os: str
    arch: str
    parts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class StoredArchive:
    """A configuration that came as a tar.gz. `parts`: how many; `is_known`: the server knows what lies in it."""

    parts: int
    is_known: bool


@dataclass(frozen=True, kw_only=True)
class Job:
    """One phase of one task. `version` is empty when any will do; `plan` is given exactly in phase apply.

    `configuration`: the server's digest of the files; `has_files`: whether they, or the archive to fetch, came with the
    job, as the agent may have them.
    """

    phase: Phase
    task_type: TaskType
    workspace_name: str
    engine: Literal["terraform", "tofu"]
    version: str
    working_directory: str
    configuration: str
    has_files: bool
    files: Mapping[str, str] = field(repr=False)
    archive: StoredArchive | None
    variables: tuple[Variable, ...]
    timeout_seconds: float
    state_url: str
    plan: StoredPlan | None


def parse(members: Mapping[str, Any]) -> Job:
    """Return the job, or raise `PhaseFailed` that names the member which this agent does not understand."""
    try:
        return _job(members)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PhaseFailed(
            "job_invalid",
            f"The server's job cannot be read ({type(error).__name__}: {error}): are agent and server of one release?",
        ) from error


def _job(members: Mapping[str, Any]) -> Job:
    plan, archive = members["plan"], members.get("archive")
    return Job(
        phase=_one_of(members["phase"], "plan", "apply"),
        task_type=_one_of(members["task_type"], "plan", "plan_and_apply", "destroy"),
        workspace_name=str(members["workspace_name"]),
        engine=_one_of(members["engine"], "terraform", "tofu"),
        version=str(members["version"] or ""),
        working_directory=str(members["working_directory"] or ""),
        configuration=str(members.get("configuration", "")),  # servers did not always say it
        has_files=members["files"] is not None or bool(archive),
        files={str(name): str(text) for name, text in (members["files"] or {}).items()},
        archive=StoredArchive(parts=int(archive["parts"]), is_known=bool(archive["is_known"])) if archive else None,
        variables=tuple(_variable(variable) for variable in members["variables"]),
        timeout_seconds=float(members["timeout_seconds"]),
        state_url=str(members["state_url"]),
        plan=_plan(plan) if plan else None,
    )


def _variable(members: Mapping[str, Any]) -> Variable:
    return Variable(
        key=str(members["key"]),
        value=str(members["value"]),
        category=_one_of(members["category"], "terraform", "env"),
        hcl=bool(members["hcl"]),
        sensitive=bool(members["sensitive"]),
    )


def _plan(members: Mapping[str, Any]) -> StoredPlan:
    names = ("digest", "engine", "version", "os", "arch")
    parts = {str(part): str(digest) for part, digest in members["parts"].items() if digest}
    return StoredPlan(**{name: str(members[name]) for name in names}, parts=parts)


def _one_of(value: Any, *choices: str) -> Any:
    if value not in choices:
        raise ValueError(f"{value!r} is none of {', '.join(choices)}")
    return value
