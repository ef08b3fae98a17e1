"""The volumes of a pod as folders of this machine; its files all belong to the user who runs the tests."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.cluster.api import Object
from tests.cluster.pod_object import Denied, NotYet, Secrets, User, only, texts


def mounted(pod: Object, secrets: Secrets, folder: Path) -> dict[str, Path]:
    """Make the volumes of a pod under `folder`; return each path in the container, and the folder in its place.

    Raises `NotYet` where a Secret is missing, `Denied` where the container's user could not read it, or the volume is
    of a kind that this node has not.
    """
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
        raise _unmounted(volume, f'secret "{source["secretName"]}" not found')
    held = texts(secret)
    items = source.get("items") or [{"key": key, "path": key} for key in held]
    for item in items:
        mode = item.get("mode", source.get("defaultMode", 0o644))
        if not user.may_read(mode):
            raise Denied(
                f"[Errno 13] Permission denied: {item['path']} (mode {mode:o} of root, group {user.fs_group or 0})"
            )
        if item["key"] not in held:
            raise _unmounted(volume, f"references non-existent secret key: {item['key']}")
        _write(place / item["path"], held[item["key"]])


def _unmounted(volume: Object, why: str) -> NotYet:
    return NotYet("ContainerCreating", f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}')


def _write(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)
    file.chmod(0o400)


def mover(mounts: Mapping[str, Path]) -> Callable[[str], str]:
    """Return a function that puts a folder of this machine in place of each mounted path that a text names."""
    if not mounts:
        return str
    paths = "|".join(map(re.escape, _longest_first(mounts)))
    pattern = re.compile(rf"(?<![\w/.-])({paths})(?![\w.-])")
    return lambda text: pattern.sub(lambda found: str(mounts[found[1]]), text)


def _longest_first(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=len, reverse=True)
