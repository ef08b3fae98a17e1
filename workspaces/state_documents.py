"""What a state says about itself, and whether it may follow the one that is stored."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from iacplatform.base.problems import Invalid

FORMAT = 4  # of terraform 0.12 and later, and of OpenTofu
_MAX_SERIAL = 2**63 - 1

_KEY = re.compile(r'\s*,?\s*("(?:[^"\\]|\\.)*")\s*:\s*', re.DOTALL)
"""The name of a member, from the end of the one before to the beginning of its value."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A state's own facts."""

    serial: int
    lineage: str
    resources: int  # instances that it manages
    digest: str  # SHA-256 of the content, hex
    content: bytes


def read(content: bytes) -> Document:
    """Return the facts, or raise `Invalid` for what is no state."""
    parsed = parse(content)
    version, serial, lineage = (parsed.get(name) for name in ("version", "serial", "lineage"))
    if version != FORMAT or isinstance(version, bool):
        raise Invalid(f"This is no terraform state of version {FORMAT}.", code="not_a_state")
    if not isinstance(serial, int) or isinstance(serial, bool) or not 0 <= serial <= _MAX_SERIAL:
        raise Invalid("The state has no serial, or it is no number from 0 up.", code="not_a_state")
    if not isinstance(lineage, str) or not 0 < len(lineage) <= 100 or not lineage.isprintable():
        raise Invalid("The state has no lineage.", code="not_a_state")
    managed = [len(objects(each.get("instances"))) for each in _managed(parsed.get("resources"))]
    digest = hashlib.sha256(content).hexdigest()
    return Document(serial=serial, lineage=lineage, resources=sum(managed), digest=digest, content=content)


def addresses(content: bytes) -> set[str]:
    """Return the addresses of the instances that a stored state manages, as the engine writes them in its log."""
    managed = _managed(parse(content).get("resources"))
    return {address(each, instance) for each in managed for instance in objects(each.get("instances"))}


def address(resource: dict[str, Any], instance: dict[str, Any]) -> str:
    """Return an instance's address, as the engine writes it."""
    module = f"{resource['module']}." if resource.get("module") else ""
    mode = "data." if resource.get("mode") == "data" else ""
    key = instance.get("index_key")
    index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
    return f"{module}{mode}{resource.get('type')}.{resource.get('name')}{index}"


def objects(found: Any) -> list[dict[str, Any]]:
    """Return the objects of a list in a state; a state may hold anything, and what is none is passed over."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def parse(content: bytes) -> dict[str, Any]:
    """Return the state as JSON, or raise `Invalid` for what is no JSON object."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Invalid("The state is no JSON.", code="not_a_state") from error
    if not isinstance(parsed, dict):
        raise Invalid("The state is no JSON object.", code="not_a_state")
    return parsed


def with_serial(content: bytes, serial: int) -> bytes:
    """Return the same state under another serial, all else as it was written: its numbers may be longer than ours."""
    text = content.decode(json.detect_encoding(content), "surrogatepass")
    start, end = _serial_span(text)
    return f"{text[:start]}{serial}{text[end:]}".encode(errors="surrogatepass")


def check_md5(content: bytes, given: str) -> None:
    """Raise `Invalid` where the content does not have the MD5 (base64) that the sender gave."""
    made = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    if given and given.strip() != made:
        raise Invalid("The body does not match its Content-MD5: it was damaged on the way. Send it again.")


def refusal(new: Document, newest: Any) -> str:
    """Return why the state cannot follow `newest` (a row with serial and lineage, or None), or an empty text."""
    if newest is None:
        return ""
    if new.lineage != newest.lineage:
        return (
            f"The state belongs to another configuration: its lineage is {new.lineage}, and the workspace's state has "
            f"{newest.lineage}. Push it to the workspace that it came from."
        )
    if new.serial == newest.serial:
        return f"Serial {new.serial} is stored with another content. Read the state again and make the change anew."
    if new.serial < newest.serial:
        return f"Serial {new.serial} is older than the stored {newest.serial}. Read the state again."
    return ""


def _serial_span(text: str) -> tuple[int, int]:
    """Return where the serial of a state stands: of two the last one counts, as for every reader of JSON."""
    found, at, decoder = (0, 0), text.index("{") + 1, json.JSONDecoder()
    while key := _KEY.match(text, at):
        start = key.end()
        at = decoder.raw_decode(text, start)[1]
        if json.loads(key[1]) == "serial":
            found = (start, at)
    return found


def _managed(resources: Any) -> list[dict[str, Any]]:
    """Return the resources that the state manages; data sources are none of them."""
    return [each for each in objects(resources) if each.get("mode") == "managed"]
