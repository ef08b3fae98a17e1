"""What a node makes of a pod's only container: a command, its environment, and folders in place of its volumes."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import volumes
from tests.cluster.api import Object
from tests.cluster.pod_object import Denied, NotYet, Secrets, only, texts

DEFAULT_COMMAND = ["python", "-m", "agents.runner"]
"""The entry point of the agent's image."""

TEMPORARY = "/tmp"  # noqa: S108 - a path in the container


@dataclass(frozen=True)
class Container:
    """What to start; `folder` holds all that is the pod's own."""

    command: list[str]
    environment: dict[str, str]
    folder: Path


def prepared(pod: Object, secrets: Secrets, folder: Path, image: Mapping[str, str]) -> Container:
    """Make the volumes of a pod under `folder`, and return its container; `image` is the image's own environment.

    Raises `NotYet` where a Secret is missing; `Denied` where a file of a Secret would be there and not for the
    container's user (all files here belong to the test's own user), or the pod has what this node cannot do.
    """
    _must_be_plain(pod["spec"])
    mounts = volumes.mounted(pod, secrets, folder)
    temporary = {"TMPDIR": TEMPORARY} if TEMPORARY in mounts else {}
    own = {**temporary, **_environment(pod, secrets)}
    move = volumes.mover(mounts)
    program, *arguments = [move(_expanded(word, {**image, **own})) for word in _command(pod)]
    return Container(
        command=[sys.executable if program in {"python", "python3"} else program, *arguments],
        environment={**image, **{name: move(value) for name, value in own.items()}},
        folder=folder,
    )


def _must_be_plain(spec: Object) -> None:
    if spec.get("initContainers") or len(spec["containers"]) > 1 or spec["restartPolicy"] != "Never":
        raise Denied("A process node runs pods of one container with the restartPolicy Never.")


def _command(pod: Object) -> list[str]:
    container = only(pod)
    words: list[str] = container.get("command", DEFAULT_COMMAND) + container.get("args", [])
    return words


def _environment(pod: Object, secrets: Secrets) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in only(pod).get("envFrom", []):
        found |= texts(_secret(source["secretRef"]["name"], secrets))
    for entry in only(pod).get("env", []):
        found[entry["name"]] = _value(entry, pod, secrets, found)
    return found


def _value(entry: Object, pod: Object, secrets: Secrets, before: Mapping[str, str]) -> str:
    source = entry.get("valueFrom", {})
    if key := source.get("secretKeyRef"):
        return _key(key, secrets)
    if field := source.get("fieldRef"):
        return _field(pod, field["fieldPath"])
    return _expanded(entry.get("value", ""), before)


def _key(reference: Object, secrets: Secrets) -> str:
    name, key = reference["name"], reference["key"]
    held = texts(_secret(name, secrets))
    if key not in held:
        raise NotYet("CreateContainerConfigError", f"couldn't find key {key} in Secret {name}")
    return held[key]


def _field(pod: Object, path: str) -> str:
    value = pod
    for part in path.split("."):
        value = value[part]
    return str(value)


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda found: environment.get(found[1], found[0]), text)


def _secret(name: str, secrets: Secrets) -> Object:
    if found := secrets(name):
        return found
    raise NotYet("CreateContainerConfigError", f'secret "{name}" not found')
