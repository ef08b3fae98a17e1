"""Terraform's diagnostics in words, as people know them from its own output."""

import re
from collections.abc import Mapping
from typing import Any

SENSITIVE = "(sensitive value)"

MESSAGE_CHARACTERS = 8000
"""Longest error message of a task; the log has all of it."""

_ERROR = re.compile(r"^Error: ", re.MULTILINE)


def words(diagnostic: Mapping[str, Any]) -> str:
    """Return the summary, where it is and the detail of a `-json` diagnostic."""
    parts = [str(diagnostic.get("summary", "")), _place(diagnostic), str(diagnostic.get("detail", ""))]
    return "\n".join(part for part in parts if part)


def readable(diagnostic: Mapping[str, Any]) -> str:
    """Return the diagnostic for the log, with the line of code that it is about."""
    severity = str(diagnostic.get("severity", "error")).capitalize()
    place = "\n".join(line for line in (_place(diagnostic), _code(diagnostic)) if line)
    parts = [f"{severity}: {diagnostic.get('summary', '')}", place, str(diagnostic.get("detail", ""))]
    return "\n\n".join(part for part in parts if part)


def from_text(output: str) -> str:
    """Return the errors in the output of a command without `-json`, or its last lines when it names none."""
    first = _ERROR.search(output)
    return output[first.end() :].strip() if first else "\n".join(output.strip().splitlines()[-20:])


def joined(texts: list[str]) -> str:
    """Return the errors as one bounded message, fit for any database: no NUL, no half characters."""
    message = "\n\n".join(text.strip() for text in texts).replace("\0", "\ufffd").encode(errors="replace").decode()
    if len(message) <= MESSAGE_CHARACTERS:
        return message
    return f"{message[:MESSAGE_CHARACTERS]}\n(cut here; the log has all of it)"


def _place(diagnostic: Mapping[str, Any]) -> str:
    place, snippet = diagnostic.get("range"), diagnostic.get("snippet")
    if not isinstance(place, dict):
        return ""
    context = snippet.get("context") if isinstance(snippet, dict) else None
    line = (place.get("start") or {}).get("line", "?")
    return f"  on {place.get('filename', '')} line {line}{f', in {context}' if context else ''}:"


def _code(diagnostic: Mapping[str, Any]) -> str:
    snippet = diagnostic.get("snippet")
    if not isinstance(snippet, dict) or not snippet.get("code"):
        return ""
    first = snippet.get("start_line") or 0
    return "\n".join(f"  {first + step:>4}: {line}" for step, line in enumerate(str(snippet["code"]).splitlines()))
