"""What the workspaces of a chaos run hold: a script for the fake engine, or real resources that keep the same ledger."""

import json
from pathlib import Path

FAILING = 0.08
"""Share of fake applies that end with an error."""

LONGEST_SECONDS = 4.5

_REAL = """
resource "terraform_data" "one" {
  triggers_replace = plantimestamp()

  provisioner "local-exec" {
    interpreter = ["/bin/sh", "-c"]
    command     = <<-COMMAND
      task=$(basename "$(dirname "$PWD")")
      printf '{"kind": "started", "task": %s}\\n' "$task" | dd of='LEDGER' oflag=append conv=notrunc,fsync status=none
      sleep 1
    COMMAND
  }
}
"""


class Configurations:
    """Their files, and where the ledger and the engines' copies of their words are."""

    def __init__(self, home: Path, seed: int) -> None:
        self.ledger = home / "ledger"
        self.copies = home / "copies"
        self._seed = seed
        self.copies.mkdir(exist_ok=True)

    @property
    def fake(self) -> dict[str, str]:
        """Return the files of a workspace of the fake engine."""
        script = {
            "seed": self._seed,
            "ledger": str(self.ledger),
            "copies": str(self.copies),
            "seconds": LONGEST_SECONDS,
            "failing": FAILING,
        }
        return {"main.tf": "", "chaos.json": json.dumps(script)}

    @property
    def real(self) -> dict[str, str]:
        """Return the files of a workspace of the real one: each apply replaces a resource, which is one line."""
        return {"main.tf": _REAL.replace("LEDGER", str(self.ledger))}
