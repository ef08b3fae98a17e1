"""Terraform configurations of the tests: built-in resources only, so that no provider is fetched from anywhere.

What an apply does can be seen: its `local-exec` appends a line to the *ledger*. What must last is held at a *gate*: it
lasts until the test opens the gate, and never longer than two minutes.
"""

import os
from contextlib import suppress
from pathlib import Path

_APPLY = """
echo begun >> '{ledger}'
i=0
while [ $i -lt 2400 ] && [ ! -e '{gate}' ]; do
  i=$((i+1))
  echo "tick $i"
  echo $i > '{ticks}'
  sleep 0.05
done
echo ended >> '{ledger}'
"""


def trivial(value: str = "one") -> dict[str, str]:
    """Return one resource with this input."""
    return {"main.tf": f'resource "terraform_data" "one" {{\n  input = "{value}"\n}}\n'}


def outputs_only(value: str) -> dict[str, str]:
    """Return an output and nothing else."""
    return {"main.tf": f'output "value" {{\n  value = "{value}"\n}}\n'}


def failing_apply(words: str) -> dict[str, str]:
    """Return a configuration whose apply fails with these words."""
    return {"main.tf": _resource("fails", f"echo '{words}' >&2; exit 3")}


class Gated:
    """Two resources, one after the other. The apply of the second counts aloud until the gate is opened."""

    def __init__(self, folder: Path) -> None:
        self._gate = folder / "gate"
        self._ledger = folder / "ledger"
        self._ticks = folder / "ticks"

    @property
    def files(self) -> dict[str, str]:
        """The configuration's files."""
        command = _APPLY.format(ledger=self._ledger, gate=self._gate, ticks=self._ticks)
        first = 'resource "terraform_data" "first" {\n  input = "done before"\n}\n'
        return {"main.tf": first + _resource("second", command, after="terraform_data.first")}

    def open(self) -> None:
        """Let the apply end."""
        self._gate.touch()

    def ledger(self) -> list[str]:
        """Return `begun` for each apply that has begun, and `ended` for each that has come to its end."""
        return self._ledger.read_text().split() if self._ledger.exists() else []

    def ticks(self) -> int:
        """Return how far the apply has counted."""
        return int(self._ticks.read_text() or 0) if self._ticks.exists() else 0

    def ticks_in(self, log: str) -> list[int]:
        """Return the counted numbers in a log, in their order."""
        words = [line.rpartition(": ")[2].split() for line in log.splitlines() if ": tick " in line]
        return [int(number) for _, number in words]


class SlowPlan:
    """A plan that lasts until the gate is opened: it reads a pipe, which nobody has written to yet."""

    def __init__(self, folder: Path) -> None:
        self._pipe = folder / "pipe"
        self._end: int | None = None
        os.mkfifo(self._pipe)

    @property
    def files(self) -> dict[str, str]:
        """The configuration's files; without the variable, terraform would read the pipe while it validates, too."""
        return {"main.tf": 'variable "pipe" {}\n\nresource "terraform_data" "one" {\n  input = file(var.pipe)\n}\n'}

    @property
    def variable(self) -> tuple[str, str]:
        """The variable that it needs."""
        return "pipe", str(self._pipe)

    def is_read(self) -> bool:
        """Return whether a plan is under way: from now on it waits for the gate, however often this is asked."""
        with suppress(OSError):  # nobody reads
            self._end = self._end or os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
        return self._end is not None

    def open(self) -> None:
        """Give the plan that is under way what it waits for."""
        assert self._end is not None, "no plan reads"
        os.write(self._end, b"content")
        os.close(self._end)

    def settle(self) -> None:
        """Let no later plan wait; the one that is under way goes on waiting."""
        self._pipe.unlink()
        self._pipe.write_text("content")


class SlowInit:
    """A module in a folder of this machine, whose `init` never ends once it is blocked: it reads an empty pipe."""

    def __init__(self, folder: Path) -> None:
        self._module = folder / "module"
        self._module.mkdir()
        self.settle()

    @property
    def files(self) -> dict[str, str]:
        """The configuration's files."""
        return {**trivial(), "module.tf": f'module "elsewhere" {{\n  source = "{self._module}"\n}}\n'}

    def block(self) -> None:
        """Let no later `init` end."""
        self._text.unlink()
        os.mkfifo(self._text)

    def settle(self) -> None:
        """Let every later `init` end."""
        self._text.unlink(missing_ok=True)
        self._text.write_text('output "there" {\n  value = true\n}\n')

    @property
    def _text(self) -> Path:
        return self._module / "main.tf"


def _resource(name: str, command: str, after: str = "") -> str:
    depends_on = f"  depends_on = [{after}]\n" if after else ""
    # `$${` would be an expression of terraform's; the shell texts here have none.
    return (
        f'resource "terraform_data" "{name}" {{\n{depends_on}\n  provisioner "local-exec" {{\n'
        f"    command = <<-COMMAND\n{command}\n    COMMAND\n  }}\n}}\n"
    )
