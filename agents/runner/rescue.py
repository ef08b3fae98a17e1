"""A state that terraform could not store lies in `errored.tfstate`: it is stored before the result is reported."""

import json
import os
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx

from agents.runner.workplace import Workplace

FILE = "errored.tfstate"


async def save_state(place: Workplace) -> None:
    """Store the state that lies in the folder, if one does, for as long as the server needs to take it.

    The lock is the one that the lost apply still holds, or else one of our own. A refusal leaves the file where it is.
    """
    file = place.start / FILE
    if not file.is_file():
        return
    place.progress("saving")
    place.say("\nTerraform could not store the new state. The agent has it and stores it now.")
    answer = await _stored(place, file)
    if answer.is_success:
        place.say("The state is stored.")
        file.unlink()
    else:
        place.say(f"The server refused the state (HTTP status {answer.status_code}). It stays on the agent, in {file}.")
    place.log.flush()


async def _stored(place: Workplace, file: Path) -> httpx.Response:
    own = _lock_info()
    locked = await place.server.state("LOCK", place.job.state_url, json.dumps(own).encode())
    lock_id = own["ID"] if locked.is_success else _holder(locked)
    answer = await place.server.state("POST", place.job.state_url, file.read_bytes(), lock_id)
    if answer.is_success:
        await place.server.state("UNLOCK", place.job.state_url, json.dumps(own | {"ID": lock_id}).encode())
    return answer


def _lock_info() -> dict[str, str]:
    """Return lock information in terraform's own shape."""
    return {
        "ID": str(uuid.uuid4()),
        "Operation": "OperationTypeApply",
        "Info": "stores errored.tfstate",
        "Who": f"agent@{socket.gethostname()} ({os.getpid()})",
        "Version": "",
        "Created": datetime.now(UTC).isoformat(),
        "Path": "",
    }


def _holder(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["ID"])
    except (ValueError, KeyError, TypeError):
        return ""
