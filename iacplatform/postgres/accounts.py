"""Under which account the server runs."""

import os
import pwd
from dataclasses import dataclass
from typing import Any

from iacplatform.postgres.errors import NoAccount

UNPRIVILEGED = "nobody"
"""What root drops to: PostgreSQL refuses to run as root, and every Linux has this account."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account of this machine; `dropped` when the launcher is root and the server is not."""

    name: str
    uid: int
    gid: int
    dropped: bool

    def identity(self) -> dict[str, Any]:
        """Return the arguments that make `subprocess` start a program under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.dropped else {}

    def own(self, descriptor: int) -> None:
        """Give an open file or folder to this account."""
        if self.dropped:
            os.fchown(descriptor, self.uid, self.gid)


def server_account() -> Account:
    """Return the account of the server: the caller's own, for root an unprivileged one.

    Raises NoAccount when it has no name (containers with an arbitrary uid): initdb refuses that.
    """
    root = os.geteuid() == 0
    try:
        entry = pwd.getpwnam(UNPRIVILEGED) if root else pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise NoAccount(UNPRIVILEGED if root else f"uid {os.geteuid()}") from error
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, dropped=root)


def owner_name(uid: int) -> str:
    """Return the name of an account, or its number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
