"""What a node makes of a pod's only container: a command, its environment, and folders in place of its volumes."""

import base64
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.api import Object

DEFAULT_COMMAND = ["python", "-m", "agents.runner"]
"""The entry point of the agent's image."""

TEMPORARY = "/tmp"  # noqa: S108 - a path in the container
Secrets = Callable[[str], Object | None]
"""Returns the Secret of a name, as the API has it."""


class NotYet(Exception):
    """The container cannot be made now; a kubelet says `reason` and the message, and tries again."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Denied(Exception):
    """The container cannot be started at all: its user cannot read a file of a Secret, or it asks too much of us."""


@dataclass(frozen=True)
class Container:
    """What to start; `folder` holds all that is the pod's own."""

    command: list[str]
    environment: dict[str, str]
    folder: Path


@dataclass(frozen=True)
class User:
    """Who the container runs as, for the question which files of a Secret it may read."""

    uid: int
    groups: frozenset[int]
    fs_group: int | None

    @classmethod
    def of(cls, pod: Object) -> "User":
        """Return the user of a pod's container; root where nothing is said."""
        settings = {**pod["spec"].get("securityContext", {}), **only(pod).get("securityContext", {})}
        fs_group = settings.get("fsGroup")
        more = settings.get("supplementalGroups", [])
        groups = {settings.get("runAsGroup", 0), *more, *([] if fs_group is None else [fs_group])}
        return cls(settings.get("runAsUser", 0), frozenset(groups), fs_group)

    def may_read(self, mode: int) -> bool:
        """Return whether a Secret's file of this mode opens: it is root's, of the group `fsGroup` where there is one."""
        owned = mode if self.fs_group is None else mode | 0o440
        by_group = owned & 0o040 and (self.fs_group or 0) in self.groups
        return self.uid == 0 or bool(by_group or owned & 0o004)


def only(pod: Object) -> Object:
    """Return the spec of a pod's container; there is one."""
    container: Object = pod["spec"]["containers"][0]
    return container


def prepared(pod: Object, secrets: Secrets, folder: Path, image: Mapping[str, str]) -> Container:
    """Make the volumes of a pod under `folder`, and return its container; `image` is the image's own environment.

    Raises `NotYet` where a Secret is missing; `Denied` where a file of a Secret would be there and not for the
    container's user (all files here belong to the test's own user), or the pod has what this node cannot do.
    """
    _must_be_plain(pod["spec"])
    mounts = _mounts(pod, secrets, folder)
    own = {**_temporary(mounts), **_environment(pod, secrets)}
    move = _mover(mounts)
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
        found |= _texts(_secret(source["secretRef"]["name"], secrets))
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
    texts = _texts(_secret(name, secrets))
    if key not in texts:
        raise NotYet("CreateContainerConfigError", f"couldn't find key {key} in Secret {name}")
    return texts[key]


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


def _texts(secret: Object) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}


def _mounts(pod: Object, secrets: Secrets, folder: Path) -> dict[str, Path]:
    """Return where in the container, and where on this machine, each volume is found."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    found = {}
    for mount in only(pod).get("volumeMounts", []):
        place = folder / "volumes" / mount["name"]
        _fill(volumes[mount["name"]], place, User.of(pod), secrets)
        found[mount["mountPath"].rstrip("/")] = place / mount.get("subPath", "")
    return found


def _fill(volume: Object, place: Path, user: User, secrets: Secrets) -> None:
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if "secret" in volume:
        _write_secret(volume, place, user, secrets)
    elif "emptyDir" not in volume:
        raise Denied(
            f'The volume "{volume["name"]}" is neither an emptyDir nor a Secret: a process node has no others.'
        )


def _write_secret(volume: Object, place: Path, user: User, secrets: Secrets) -> None:
    source = volume["secret"]
    secret = secrets(source["secretName"])
    if secret is None:
        words = f'MountVolume.SetUp failed for volume "{volume["name"]}" : secret "{source["secretName"]}" not found'
        raise NotYet("ContainerCreating", words)
    texts = _texts(secret)
    items = source.get("items") or [{"key": key, "path": key} for key in texts]
    for item in items:
        mode = item.get("mode", source.get("defaultMode", 0o644))
        if not user.may_read(mode):
            raise Denied(
                f"[Errno 13] Permission denied: {item['path']} (mode {mode:o} of root, group {user.fs_group or 0})"
            )
        _write(place / item["path"], texts[item["key"]])


def _write(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)
    file.chmod(0o400)


def _temporary(mounts: Mapping[str, Path]) -> dict[str, str]:
    return {"TMPDIR": TEMPORARY} if TEMPORARY in mounts else {}


def _mover(mounts: Mapping[str, Path]) -> Callable[[str], str]:
    """Return a function that puts a folder of this machine in place of each mounted path that a text names."""
    if not mounts:
        return str
    paths = "|".join(map(re.escape, _longest_first(mounts)))
    pattern = re.compile(rf"(?<![\w/.-])({paths})(?![\w.-])")
    return lambda text: pattern.sub(lambda found: str(mounts[found[1]]), text)


def _longest_first(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=len, reverse=True)
