"""Which kubeconfigs are taken: those that hold all they need, and run nothing on the server."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml
from django.core.exceptions import ValidationError

MAX_BYTES = 256 * 1024
LONGEST_ADDRESS = 500
UNREADABLE = (yaml.YAMLError, RecursionError, ValueError, TypeError, AttributeError, LookupError)
"""What PyYAML raises for text that it cannot make values of; the latter for values that are not of their tag's form."""
_SECTIONS = {"clusters": "cluster", "users": "user", "contexts": "context"}
_PROGRAMS = frozenset({"exec", "auth-provider"})
_FILES = frozenset({"certificate-authority", "client-certificate", "client-key", "tokenFile"})
_OF_A_CLUSTER = (
    "server",
    "certificate-authority-data",
    "insecure-skip-tls-verify",
    "tls-server-name",
    "proxy-url",
    "disable-compression",
    "extensions",
)
_OF_A_ROUTE = ("proxy-url", "tls-server-name")
UNKNOWN = "unknown"
"""In place of the route of a kubeconfig that could not be opened when routes were written down."""
_TAKEN = {
    "cluster": frozenset(_OF_A_CLUSTER),
    "user": frozenset({"token", "client-certificate-data", "client-key-data", "extensions"}),
    "context": frozenset({"cluster", "user", "namespace", "extensions"}),
}
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_IN_A_HEADER = re.compile(r"[!-~]+")


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
    except UNREADABLE:
        return "This is neither YAML without aliases nor JSON."
    return _shape_fault(parsed) or _content_fault(parsed) or _current_fault(parsed)


def current(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the cluster and the user of the current context of a kubeconfig that was taken."""
    parsed = yaml.load(text, Loader=_Plain)  # noqa: S506 - it is a safe loader
    context = _named(parsed, "contexts", parsed["current-context"])
    return _named(parsed, "clusters", context.get("cluster")), _named(parsed, "users", context.get("user"))


def server(text: str) -> str:
    """Return the address of the cluster of the current context, without a slash at its end; empty for no text."""
    return str(current(text)[0]["server"]).rstrip("/") if text else ""


def route(text: str) -> str:
    """Return what decides besides the address which cluster answers, in words; empty where nothing does."""
    cluster = current(text)[0] if text else {}
    return ", ".join(f"{name} {cluster[name]}" for name in _OF_A_ROUTE if cluster.get(name))


def _named(parsed: dict[str, Any], section: str, name: Any) -> dict[str, Any]:
    entries = (entry[_SECTIONS[section]] for entry in parsed[section] if entry["name"] == name)
    return next(entries, {})


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


def _current_fault(parsed: dict[str, Any]) -> str:
    context = _named(parsed, "contexts", parsed["current-context"])
    cluster, user = (_named(parsed, f"{part}s", context.get(part)) for part in ("cluster", "user"))
    if not cluster or not user:
        return "The current context has to name one of the clusters and one of the users."
    for part, entry in (("cluster", cluster), ("user", user), ("context", context)):
        if unknown := sorted(str(key) for key in entry.keys() - _TAKEN[part]):
            return f"Its {part} says {', '.join(unknown)}, which this platform does not act on: leave it out."
    return _server_fault(cluster) or _credential_fault(user)


def _server_fault(cluster: dict[str, Any]) -> str:
    if not _is_address(cluster.get("server")):
        return 'The server of its cluster has to be an address such as "https://203.0.113.7:6443".'
    if not _is_name(cluster.get("tls-server-name") or "x"):
        return 'The tls-server-name of its cluster has to be the name of a host such as "kubernetes.example".'
    if "proxy-url" in cluster and not _is_address(cluster["proxy-url"]):
        return 'The proxy-url of its cluster has to be an address such as "http://proxy.example:3128".'
    return ""


def _credential_fault(user: dict[str, Any]) -> str:
    if user.get("token") and not _IN_A_HEADER.fullmatch(str(user["token"])):
        return "The token of its user holds a blank, a line break or a letter that no token has: copy it once more."
    if user.get("token") or (user.get("client-certificate-data") and user.get("client-key-data")):
        return ""
    return "Its user has neither a token nor a client certificate with its key."


def _is_address(value: Any) -> bool:
    """Return whether it is an address of HTTP without a password in it: addresses are shown."""
    if isinstance(value, str) and not (value.isprintable() and len(value) <= LONGEST_ADDRESS):
        return False
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
        return parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0 and plain
    except ValueError:
        return False


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(_HOST.fullmatch(value))


def _keys(parsed: dict[str, Any]) -> Iterator[str]:
    for section, inner in _SECTIONS.items():
        for entry in parsed[section]:
            yield from entry[inner]
