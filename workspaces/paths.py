"""Rules for paths that users give: relative, inside the configuration, harmless on any system."""

import re
from pathlib import PurePosixPath

from django.core.exceptions import ValidationError

MAX_BYTES = 512
MAX_DEPTH = 32

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def validate_folder(path: str) -> None:
    """Raise unless `path` names a folder inside the configuration."""
    if fault := fault_of(path):
        raise ValidationError(fault)


def fault_of(path: str) -> str:
    """Return why `path` cannot be a file or folder of a configuration, or an empty text."""
    parts = PurePosixPath(path).parts
    if not parts or len(path.encode(errors="replace")) > MAX_BYTES or len(parts) > MAX_DEPTH:
        return f"A path has 1 to {MAX_BYTES} bytes and at most {MAX_DEPTH} folders."
    if path.startswith("/") or ".." in path.split("/") or _FORBIDDEN.search(path):
        return "A path is relative and stays inside: no leading slash, no .., no backslash or control character."
    if (normal := str(PurePosixPath(path))) != path:
        return f"Write the path as {normal}."
    if ".terraform" in parts:
        return "The folder .terraform belongs to the engine; leave it out."
    return ""
