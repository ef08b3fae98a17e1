"""What engines did, kept beside the platform so that it can be caught lying: a file that only grows.

Each line is on the disk before the engine goes on: `started` before an apply changes anything, `stored` after the
platform said that it has a state, `applied` when the apply has come to its end.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

Line = dict[str, Any]


def append(path: str, line: Mapping[str, Any]) -> None:
    """Add a line; it is on the disk on return, and whole also when several engines write at once."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, json.dumps(line).encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines(path: str) -> list[Line]:
    """Return all whole lines so far."""
    if not os.path.exists(path):  # noqa: PTH110 - engines start faster without pathlib
        return []
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the same
        return [json.loads(line) for line in file.read().split("\n")[:-1]]


def of_kind(path: str, kind: str) -> list[Line]:
    """Return the lines of one kind."""
    return [line for line in lines(path) if line["kind"] == kind]
