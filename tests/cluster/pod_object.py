"""What the parts of a process node share about a pod: its container, who that runs as, why it cannot be started."""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from tests.cluster.api import Object

Secrets = Callable[[str], Object | None]
"""Returns the Secret of a name, as the API has it."""


class NotYet(Exception):
    """The container cannot be made now; a kubelet says `reason` and the message, and tries again."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Denied(Exception):
    """The container cannot be started at all: its user cannot read a file of a Secret, or it asks too much of us."""


def only(pod: Object) -> Object:
    """Return the spec of a pod's container; there is one."""
    container: Object = pod["spec"]["containers"][0]
    return container


def texts(secret: Object) -> dict[str, str]:
    """Return what a Secret holds, by key."""
    return {key: base64.b64decode(value).decode() for key, value in secret.get("data", {}).items()}


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
