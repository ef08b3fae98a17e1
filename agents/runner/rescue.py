"""A state that terraform could not store lies in `errored.tfstate`: it is brought to the server before the result."""

import json
import os
import re
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx

from agents.runner.control import Ended
from agents.runner.errors import AttemptClosed
from agents.runner.server import is_kept_aside, words
from agents.runner.workplace import Workplace

FILE = "errored.tfstate"

_NAMELESS = re.compile(rb'("serial": )(\d+)(,\s*"lineage": )""')
_HEAD_BYTES = 400
"""Terraform writes serial and lineage before anything of the configuration's."""


async def save_state(place: Workplace) -> None:
    """Store the state that lies in the folder, if one does, for as long as the server needs to take it.

    The lock is the one that the lost apply still holds, or else one of our own. What the server keeps aside is in its
    hands as well; what it does not take stays where it is. A stopped attempt tries for a bounded time.
    """
    file = place.start / FILE
    if not file.is_file():
        return
    place.progress("saving")
    place.say("\nTerraform could not store the new state. The agent has it and stores it now.")
    _name(file)
    try:
        _tell(place, file, await place.control.unless_overdue(_stored(place, file)))
    except (AttemptClosed, Ended):
        place.say(f"The server takes nothing of this attempt any more. The state stays on the agent, in {file}.")
    place.log.flush()


def _tell(place: Workplace, file: Path, answer: httpx.Response) -> None:
    if answer.is_success or is_kept_aside(answer):
        place.say("The state is stored." if answer.is_success else words(answer))
        file.unlink()
    else:
        place.say(f"The server refused the state (HTTP status {answer.status_code}). It stays on the agent, in {file}.")


def _name(file: Path) -> None:
    """Give a workspace's first state the lineage and the serial that terraform gives it only with the first answer."""
    content = file.read_bytes()
    head = content[:_HEAD_BYTES]
    named = _NAMELESS.sub(lambda found: _first(*found.groups()), head, count=1)
    if named != head:
        file.write_bytes(named + content[_HEAD_BYTES:])


def _first(before: bytes, serial: bytes, between: bytes) -> bytes:
    return b'%b%d%b"%b"' % (before, int(serial) + 1, between, str(uuid.uuid4()).encode())


async def _stored(place: Workplace, file: Path) -> httpx.Response:
    lock = await _lock(place)
    answer = await place.server.state("POST", place.job.state_url, file.read_bytes(), lock["ID"])
    if answer.is_success:
        await place.server.state("UNLOCK", place.job.state_url, json.dumps(lock).encode())
    return answer


async def _lock(place: Workplace) -> dict[str, str]:
    """Return the lock under which the state is sent; its ID is empty where there is none to be had."""
    own = _lock_info()
    try:
        answer = await place.server.state("LOCK", place.job.state_url, json.dumps(own).encode())
    except AttemptClosed:  # the state itself may still be kept aside
        return own | {"ID": ""}
    return own if answer.is_success else own | {"ID": _holder(answer)}


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
