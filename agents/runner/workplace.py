"""What a phase works with, once the job is known and its folder is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agents.protocol import Phase, Stage
from agents.runner.control import Control
from agents.runner.engines import Binary
from agents.runner.folder import TaskFolder
from agents.runner.isolation import Isolation
from agents.runner.jobs import Job
from agents.runner.masking import Masker
from agents.runner.outbox import Outbox
from agents.runner.server import AttemptServer
from agents.runner.spool import Spool


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """An attempt whose job is known: where its log, its words and its end come together."""

    job: Job
    token: str = field(repr=False)
    folder: TaskFolder
    log: Spool
    masker: Masker
    outbox: Outbox
    control: Control
    server: AttemptServer

    @property
    def phase(self) -> Phase:
        """The phase of the job."""
        return self.job.phase

    def say(self, text: str) -> None:
        """Write a line of our own into the log that people read."""
        self.log.write(f"{text}\n")
        self.outbox.log_grew()

    def progress(self, stage: Stage, done: int = 0, total: int = 0) -> None:
        """Report the step of the phase; one that is being ended says so instead."""
        self.outbox.progress("cancelling" if self.control.ending else stage, done, total)


@dataclass(frozen=True, kw_only=True)
class Workplace(Assignment):
    """A prepared phase. `start` is the folder that the engine runs in; `variables` are its `-var-file` arguments.

    `is_warm`: the folder is as the plan left it, so that its apply needs no `init`. `known`: the configuration's files,
    SHA-256 by path; empty in a warm folder, where nobody asks.
    """

    binary: Binary
    isolation: Isolation
    start: Path
    known: Mapping[str, str] = field(repr=False)
    is_warm: bool
    environment: Mapping[str, str] = field(repr=False)
    variables: list[str]
