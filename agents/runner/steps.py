"""One start of the engine: its output followed, its progress reported, its end waited for."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from agents.protocol import Stage
from agents.runner.control import Ended
from agents.runner.process import Engine, EngineProcess
from agents.runner.stream import Reading
from agents.runner.tail import Tail
from agents.runner.workplace import Workplace

LOOK_SECONDS = 0.1
"""How often the output is looked at, and so about how long log text waits before it is sent."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """An engine process that has ended. `was_killed`: by us, after its grace time."""

    name: str
    exit_code: int
    was_killed: bool
    reading: Reading = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Command:
    """What is started. `output`: takes standard output; `end`: what interrupts it."""

    stage: Stage
    arguments: tuple[str, ...]
    output: Path
    end: asyncio.Event

    @property
    def name(self) -> str:
        return self.arguments[0]


async def run(place: Workplace, stage: Stage, *arguments: str) -> Step:
    """Run a command of the engine; an ending attempt interrupts it, or does not even start it (`Ended`)."""
    output = place.folder.output(arguments[0])
    return await _run(place, _Command(stage=stage, arguments=arguments, output=output, end=place.control.ended))


async def show(place: Workplace) -> Step:
    """Write the plan's JSON to its file. A cancel comes too late for it, since the plan is made; a stop does not."""
    arguments = ("show", "-json", str(place.folder.plan))
    end = place.control.stopped
    return await _run(place, _Command(stage="saving", arguments=arguments, output=place.folder.plan_json, end=end))


async def take_over(place: Workplace, orphan: Engine) -> Step:
    """Follow an apply that an earlier life of the agent has started; its exit status is not known."""
    output = place.folder.output("apply")
    command = _Command(stage="applying", arguments=("apply",), output=output, end=place.control.ended)
    return await _follow(place, orphan, command)


async def _run(place: Workplace, command: _Command) -> Step:
    if command.end.is_set():
        raise Ended
    place.progress(command.stage)
    return await _follow(place, _started(place, command), command)


async def _follow(place: Workplace, process: Engine, command: _Command) -> Step:
    """Show what the engine says, from its first word on, until it has ended."""
    reading, tail = Reading(), Tail(place.folder.output(command.name))
    finishing = asyncio.ensure_future(process.finish(place.control, command.end))
    while tail.is_behind or not finishing.done():
        await asyncio.wait((finishing,), timeout=0 if tail.is_behind else LOOK_SECONDS)
        _take(place, tail.lines(), reading, command.stage)
    await _take_rest(place, tail, reading, command.stage)
    return Step(name=command.name, exit_code=finishing.result(), was_killed=process.was_killed, reading=reading)


def _started(place: Workplace, command: _Command) -> EngineProcess:
    """Start the engine with new output files, and note beside them which process it is."""
    errors = place.folder.output(command.name)
    place.log.flush()
    for path in (command.output, errors):
        path.unlink(missing_ok=True)
    place.folder.tmp.mkdir(mode=0o700, exist_ok=True)
    process = EngineProcess(
        place.isolation.command(place.folder.root, [str(place.binary.path), *command.arguments]),
        folder=place.start,
        environment=place.environment,
        output=command.output,
        errors=errors,
        note=place.folder.engine_note,
    )
    place.control.has_run = True
    process.note(place.phase, command.name, place.log.size)
    return process


def _take(place: Workplace, lines: list[str], reading: Reading, stage: Stage) -> None:
    if text := "".join(reading.line(line) for line in lines):
        place.log.write(text)
        place.outbox.log_grew()
    if stage == "applying":
        place.progress(stage, reading.done, max(reading.total, reading.done))
    else:
        place.progress(stage, reading.planned)


async def _take_rest(place: Workplace, tail: Tail, reading: Reading, stage: Stage) -> None:
    _take(place, tail.lines(), reading, stage)
    while tail.is_behind:
        await asyncio.sleep(0)  # heartbeats do not wait for a hundred megabytes
        _take(place, tail.lines(), reading, stage)
    _take(place, [tail.rest()], reading, stage)
    place.log.flush()
    place.outbox.log_grew()
