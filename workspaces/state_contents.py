"""What a stored state holds, as people read it: outputs and resources, and how two states differ.

A state may have 64 MiB, and three times that once it is parsed: so whoever asks parses it, once for all questions.
Values of outputs that are marked as sensitive are left out, and so are all values of resources: which of those are
secret, only their providers know.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from workspaces import state_documents


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output of the root module. `type`: as terraform writes it, such as "string" or ["list", "string"]."""

    name: str
    type: Any
    sensitive: bool
    value: Any  # None where it is sensitive


@dataclass(frozen=True, kw_only=True)
class Resource:
    """An instance of a resource. `mode`: managed or data; `status`: empty, or tainted; `deposed`: a key, or empty."""

    address: str
    mode: str
    type: str
    name: str
    module: str
    provider: str
    status: str
    deposed: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """An address that is in both states. `attributes`: the names of those whose values differ."""

    address: str
    attributes: list[str]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What one state has and another has not: addresses of instances, and names of outputs."""

    added: list[str]
    removed: list[str]
    changed: list[Change]
    outputs_added: list[str]
    outputs_removed: list[str]
    outputs_changed: list[str]

    @property
    def is_empty(self) -> bool:
        """Whether both hold the same."""
        return not any(vars(self).values())


State = dict[str, Any]
"""A parsed state (`state_documents.parse`), which may hold anything."""

NOTHING: State = {}
"""A state before the first one."""


def outputs(state: State) -> list[Output]:
    """Return the outputs by name."""
    found = _outputs(state)
    return [_output(name, found[name]) for name in sorted(found)]


def resources(state: State) -> list[Resource]:
    """Return the instances by address, data sources included."""
    listed = [_resource(each, instance) for each, instance in _instances(state)]
    return sorted(listed, key=lambda resource: (resource.address, resource.deposed))


def difference(before: State, after: State) -> Difference:
    """Return what changed from one to the other."""
    gone, here = _by_address(before), _by_address(after)
    outputs_gone, outputs_here = _outputs(before), _outputs(after)
    both = sorted(gone.keys() & here.keys())
    return Difference(
        added=_listed(here.keys() - gone.keys()),
        removed=_listed(gone.keys() - here.keys()),
        changed=[_change(address, gone[address], here[address]) for address in both if gone[address] != here[address]],
        outputs_added=_listed(outputs_here.keys() - outputs_gone.keys()),
        outputs_removed=_listed(outputs_gone.keys() - outputs_here.keys()),
        outputs_changed=_listed(
            name for name in outputs_gone.keys() & outputs_here.keys() if outputs_gone[name] != outputs_here[name]
        ),
    )


def _outputs(state: State) -> dict[str, dict[str, Any]]:
    found = state.get("outputs")
    named = found.items() if isinstance(found, dict) else ()
    return {name: output for name, output in named if isinstance(output, dict)}


def _output(name: str, output: dict[str, Any]) -> Output:
    is_secret = bool(output.get("sensitive"))
    value = None if is_secret else output.get("value")
    return Output(name=_text(name), type=_plain(output.get("type")), sensitive=is_secret, value=_plain(value))


def _instances(state: State) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each instance with its resource; what is no object is passed over, as a state may hold anything."""
    for resource in state_documents.objects(state.get("resources")):
        for instance in state_documents.objects(resource.get("instances")):
            yield resource, instance


def _resource(resource: dict[str, Any], instance: dict[str, Any]) -> Resource:
    words = {name: _text(resource.get(name)) for name in ("mode", "type", "name", "module", "provider")}
    marks = {name: _text(instance.get(name)) for name in ("status", "deposed")}
    return Resource(address=_text(state_documents.address(resource, instance)), **words, **marks)


def _by_address(state: State) -> dict[str, dict[str, Any]]:
    return {_place(resource, instance): instance for resource, instance in _instances(state)}


def _place(resource: dict[str, Any], instance: dict[str, Any]) -> str:
    address, deposed = state_documents.address(resource, instance), _text(instance.get("deposed"))
    return f"{address} (deposed {deposed})" if deposed else address


def _change(address: str, before: dict[str, Any], after: dict[str, Any]) -> Change:
    gone, here = _attributes(before), _attributes(after)
    names = (name for name in gone.keys() | here.keys() if gone.get(name) != here.get(name))
    return Change(address=_text(address), attributes=_listed(names))


def _attributes(instance: dict[str, Any]) -> dict[str, Any]:
    found = instance.get("attributes")
    return found if isinstance(found, dict) else {}


def _listed(names: Iterable[str]) -> list[str]:
    return sorted(map(_text, names))


def _text(value: Any) -> str:
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _plain(value: Any) -> Any:
    """Return the value as any reader of JSON takes it: a state may hold half a character, or what is no number."""
    if isinstance(value, dict):
        return {_text(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _text(value) if isinstance(value, str) else value
