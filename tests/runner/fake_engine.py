"""Stands in for terraform where a test must know every start, signal and instant.

`behaviour.json` among the configuration's files says what each command does: `print` (text), `copies` (a file, to its
output), `seconds` (to wait), `until` (a file to wait for as well), `tick` (a line, again and again while it waits),
`counts` (aloud while it waits), `touch` (a file to make), `holds` (its text), `last` (words at the end), `exit`
(status), `kill` (a signal to die by), `on_interrupt` (status, or "ignore"). Every start and every SIGINT is a line of
the file `ledger`.
"""

import json
import os
import shutil
import signal
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

VERSION = "1.11.4"


def main(arguments: list[str]) -> int:
    if arguments[0] == "version":
        print(json.dumps({"terraform_version": VERSION}))
        return 0
    behaviour = json.loads(Path("behaviour.json").read_text())
    signal.signal(signal.SIGINT, lambda *_: interrupted(behaviour, arguments[0]))
    note(behaviour, {"start": arguments[0], "arguments": arguments[1:], "environment": dict(os.environ)})
    return run(arguments, behaviour.get(arguments[0], {}))


def run(arguments: list[str], wanted: dict[str, Any]) -> int:
    sys.stdout.write(wanted.get("print", ""))
    sys.stdout.flush()
    if "copies" in wanted:
        copy(Path(wanted["copies"]))
    if "touch" in wanted:
        make(Path(wanted["touch"]), wanted.get("holds", "made by the plan"))
    work(wanted)
    if wanted.get("last"):
        print(wanted["last"], flush=True)
    if "kill" in wanted:
        os.kill(os.getpid(), wanted["kill"])
    DEEDS.get(arguments[0], lambda _: None)(arguments)
    return int(wanted.get("exit", 2 if arguments[0] == "plan" else 0))


def work(wanted: dict[str, Any]) -> None:
    deadline, gate = time.monotonic() + wanted.get("seconds", 0), Path(wanted.get("until", "/"))
    turn = 0
    while time.monotonic() < deadline or not gate.exists():
        time.sleep(0.02)  # it plays an engine that takes its time; a SIGINT ends it as it would end that one
        turn += 1
        print(f"tick {turn}", flush=True) if "counts" in wanted else None
        print(wanted.get("tick", ""), flush=True) if "tick" in wanted else None


def make(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(text)
    draft.replace(file)


def copy(file: Path) -> None:
    with file.open("rb") as source:
        shutil.copyfileobj(source, sys.stdout.buffer, 100_000)
    sys.stdout.flush()


def initialize(arguments: list[str]) -> None:
    Path(".terraform").mkdir(exist_ok=True)
    Path(".terraform/terraform.tfstate").write_text('{"backend": {"type": "http", "config": {"address": null}}}')


def plan(arguments: list[str]) -> None:
    file = next(argument.removeprefix("-out=") for argument in arguments if argument.startswith("-out="))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tfstate", json.dumps({"lineage": "the-lineage", "serial": 7}))


def show(arguments: list[str]) -> None:
    print(json.dumps({"resource_changes": [], "output_changes": {}}))


DEEDS = {"init": initialize, "plan": plan, "show": show}


def interrupted(behaviour: dict[str, Any], command: str) -> None:
    note(behaviour, {"signal": command})
    status = behaviour.get(command, {}).get("on_interrupt", 1)
    if status != "ignore":
        sys.exit(status)


def note(behaviour: dict[str, Any], line: dict[str, Any]) -> None:
    who = {"pid": os.getpid(), "namespace": str(Path("/proc/self/ns/pid").readlink())}
    with Path(behaviour["ledger"]).open("a") as ledger:
        ledger.write(json.dumps({**line, **who}) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
