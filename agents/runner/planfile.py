"""What a plan is bound to, read from the plan file and from `show -json`."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.runner.errors import PhaseFailed


def state_of(plan: Path) -> tuple[str, int]:
    """Return lineage and serial of the state that was planned against: empty and 0 when there was none.

    The plan file is a zip whose `tfstate` is that state; `show -json` leaves both out.
    """
    try:
        with zipfile.ZipFile(plan) as archive:
            state = json.loads(archive.read("tfstate"))
        return str(state.get("lineage") or ""), int(state.get("serial") or 0)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, AttributeError) as error:
        raise PhaseFailed(
            "plan_unreadable", f"The plan file cannot be read ({error}); encryption of plan files is not supported."
        ) from error


def changed_outputs(plan: Mapping[str, Any]) -> int:
    """Return how many outputs a plan (`show -json`) changes."""
    changes = plan.get("output_changes") or {}
    return sum(1 for change in changes.values() if change.get("actions") not in (["no-op"], ["read"]))
