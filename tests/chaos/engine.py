"""Stands in for terraform: plans and applies nothing for a few seconds, and keeps a ledger of each apply.

`chaos.json` among the configuration's files says where the ledger is and how long things last. What it says is also
kept in a copy of its own, so that the platform's log can be held against it. An attempt is known by its token.
"""

import hashlib
import json
import os
import random
import signal
import sys
import time
import urllib.error
import uuid
import zipfile
from pathlib import Path
from typing import Any

from tests.chaos import ledger
from tests.chaos.backend import Backend, Refused, State

VERSION = "1.11.4"
TICK_SECONDS = 0.1
MARK = "~"
"""Begins each line of the log that is in the engine's own copy as well."""

_COMPLETE = {
    "@message": "Apply complete!",
    "type": "change_summary",
    "changes": {"add": 0, "change": 0, "remove": 0, "operation": "apply"},
}
"""Terraform's last words but for its outputs: all is done, and the state is stored."""


class Engine:
    """One start of it, in a task's folder."""

    def __init__(self, command: str, arguments: list[str]) -> None:
        self.command = command
        self.arguments = arguments
        self.script = json.loads(Path("chaos.json").read_text())
        self.attempt = int(os.environ["TF_HTTP_PASSWORD"].removeprefix("iaca_").split(".")[0])
        self.chance = random.Random(f"{self.script['seed']}-{self.attempt}-{command}")
        self.backend = Backend()
        self.interrupted = False
        self._said = 0
        signal.signal(signal.SIGINT, self._interrupt)

    def init(self) -> int:
        """Leave what `init` leaves."""
        Path(".terraform").mkdir(exist_ok=True)
        text = '{"backend": {"type": "http", "config": {"address": null}}}'
        Path(".terraform/terraform.tfstate").write_text(text)
        return 0

    def plan(self) -> int:
        """Write a plan that no other plan equals, bound to the state that is there."""
        locks = "-lock=false" not in self.arguments
        if locks:
            self.backend.lock()
        state = self.backend.read()
        self._work()
        if locks:
            self.backend.unlock()
        file = next(each.removeprefix("-out=") for each in self.arguments if each.startswith("-out="))
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("tfstate", json.dumps({key: state[key] for key in ("lineage", "serial") if key in state}))
            archive.writestr("nonce", uuid.uuid4().hex)
        return 1 if self.interrupted else 2

    def show(self) -> int:
        """Say what the plan changes."""
        print(json.dumps({"resource_changes": [], "output_changes": {"moment": {"actions": ["update"]}}}))
        return 0

    def apply(self) -> int:
        """Start, which the ledger remembers; change what the plan said, unless it is stale; store the state."""
        plan = Path(self.arguments[-1])
        digest = hashlib.sha256(plan.read_bytes()).hexdigest()
        self._note("started", digest=digest)
        self.backend.lock()
        before = self.backend.read()
        if _bound_to(plan) != (before.get("lineage", ""), before.get("serial", 0)):
            return self._stale()
        self._work()
        self._store(before)
        if self.interrupted or self.chance.random() < self.script["failing"]:
            return self._refuse("This apply fails", "It was told to.")
        self._note("applied", digest=digest)
        print(json.dumps(_COMPLETE), flush=True)
        return 0

    def _stale(self) -> int:
        self.backend.unlock()
        return self._refuse("Saved plan is stale", "The state has changed.")

    def _refuse(self, summary: str, detail: str) -> int:
        words = {"severity": "error", "summary": summary, "detail": detail}
        print(json.dumps({"@message": "Error", "type": "diagnostic", "diagnostic": words}), flush=True)
        return 1

    def _work(self) -> None:
        """Take some time, and talk meanwhile."""
        for _ in range(round(self.chance.uniform(0, self.script["seconds"]) / TICK_SECONDS)):
            self._say(self.chance.randbytes(self.chance.randrange(200)).hex())
            time.sleep(TICK_SECONDS)  # it plays an engine at work, whose length is drawn; killed and frozen meanwhile
            if self.interrupted:
                return

    def _store(self, before: State) -> None:
        """Store the next state, or leave it where terraform leaves one that it could not store."""
        serial = before.get("serial", 0) + 1
        after = {"version": 4, "serial": serial, "lineage": before.get("lineage") or str(uuid.uuid4())}
        content = json.dumps({**after, "outputs": {}, "resources": []}).encode()
        try:
            self.backend.store(content)
        except (Refused, urllib.error.HTTPError):
            Path("errored.tfstate").write_bytes(content)
            raise
        self._note("stored", workspace=self.backend.workspace, serial=serial, lineage=after["lineage"])
        self.backend.unlock()

    def _say(self, text: str) -> None:
        self._said += 1
        line = f"{MARK}{self.command} {self._said} {text}"
        copy = Path(self.script["copies"]) / f"{self.attempt}-{self.command}"
        with copy.open("a") as file:
            file.write(f"{line}\n")
        print(json.dumps({"@message": line, "type": "log"}), flush=True)

    def _note(self, kind: str, **facts: Any) -> None:
        task = int(Path.cwd().parent.name)
        ledger.append(self.script["ledger"], {"kind": kind, "task": task, "attempt": self.attempt, **facts})

    def _interrupt(self, *_: object) -> None:
        self.interrupted = True


def main(arguments: list[str]) -> int:
    """Run a command of terraform's; return the exit status."""
    if arguments[0] == "version":
        print(json.dumps({"terraform_version": VERSION}))
        return 0
    engine = Engine(arguments[0], arguments[1:])
    try:
        status: int = getattr(engine, arguments[0])()
    except (Refused, urllib.error.HTTPError) as error:
        print(f"Error: {error}", flush=True)
        return 1
    return status


def _bound_to(plan: Path) -> tuple[str, int]:
    with zipfile.ZipFile(plan) as archive:
        state = json.loads(archive.read("tfstate"))
    return state.get("lineage", ""), state.get("serial", 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
