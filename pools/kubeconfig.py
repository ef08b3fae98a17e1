"""Which kubeconfigs are taken: those that hold all they need, and run nothing on the server."""

from collections.abc import Iterator
from typing import Any

import yaml
from django.core.exceptions import ValidationError

MAX_BYTES = 256 * 1024
_SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}
_PROGRAMS = frozenset({"exec", "auth-provider"})
_FILES = frozenset({"certificate-authority", "client-certificate", "client-key", "tokenFile"})


class _Plain(yaml.SafeLoader):
    """Takes no aliases: a few lines of them, merged into one another, fill the memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the node, or raise where it is an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError
        return super().compose_node(parent, index)


def validate(text: str) -> None:
    """Raise unless `text` is a kubeconfig (YAML or JSON) that stands alone."""
    if fault := fault_of(text):
        raise ValidationError({"kubeconfig": fault})


def fault_of(text: str) -> str:
    """Return why the kubeconfig is refused, or an empty text. The answer quotes nothing of it."""
    if len(text.encode(errors="replace")) > MAX_BYTES:
        return f"A kubeconfig has at most {MAX_BYTES:,} bytes."
    try:
        parsed = yaml.load(text, Loader=_Plain)  # noqa: S506 - it is a safe loader
    except (yaml.YAMLError, RecursionError, ValueError):
        return "This is neither YAML without aliases nor JSON."
    return _shape_fault(parsed) or _content_fault(parsed)


def _shape_fault(parsed: Any) -> str:
    if not isinstance(parsed, dict) or parsed.get("kind", "Config") != "Config":
        return "This is no kubeconfig: it has no kind Config with clusters, users and contexts."
    for section, inner in _SECTIONS.items():
        if not _is_list_of(parsed.get(section), inner):
            return f"A kubeconfig needs {section}: a list of entries with name and {inner}."
    named = [entry["name"] for entry in parsed["contexts"]]
    return "" if parsed.get("current-context") in named else "current-context has to name one of the contexts."


def _is_list_of(entries: Any, inner: str) -> bool:
    return (
        isinstance(entries, list)
        and bool(entries)
        and all(
            isinstance(e, dict) and isinstance(e.get("name"), str) and isinstance(e.get(inner), dict) for e in entries
        )
    )


def _content_fault(parsed: dict[str, Any]) -> str:
    keys = set(_keys(parsed))
    if found := sorted(keys & _PROGRAMS):
        return (
            f"It names a program to run ({', '.join(found)}), which the server will not do: use a token or certificate."
        )
    if found := sorted(keys & _FILES):
        return f"It names a file ({', '.join(found)}), which the server does not have: give its content instead."
    return ""


def _keys(parsed: dict[str, Any]) -> Iterator[str]:
    for section, inner in _SECTIONS.items():
        for entry in parsed[section]:
            yield from entry[inner]
