"""Why the platform cannot start or go on: one sentence each, with what to do."""

from pathlib import Path


class SupervisorError(Exception):
    """The platform cannot run; the message is one line for people."""


class PortTaken(SupervisorError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} of {host} is taken by another program: stop that one, or choose another port with --port."
        )


class AddressUnusable(SupervisorError):
    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"Nobody can listen at {host}, port {port} ({reason}): "
            "choose an IPv4 address of this machine with --host and a port with --port."
        )


class HomeInUse(SupervisorError):
    def __init__(self, home: Path, holder: str) -> None:
        super().__init__(
            f"The data folder {home} is in use by another `manage.py up` (process {holder}): "
            "stop that one, or set IACPLATFORM_HOME to another folder."
        )


class DatabaseUnreachable(SupervisorError):
    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"The database of DATABASE_URL ({where}) cannot be reached: {reason}. "
            "Start it, correct DATABASE_URL, or unset it to use the embedded PostgreSQL."
        )


class StepFailed(SupervisorError):
    def __init__(self, name: str, ending: str, last_words: str) -> None:
        super().__init__(f"The step {name} {ending}: {last_words or 'it said nothing'}")


class ServiceBroken(SupervisorError):
    def __init__(self, name: str, times: int, ending: str, last_words: str) -> None:
        super().__init__(
            f"The child {name} {ending}, {times} times in a row, and never worked: {last_words or 'it said nothing'}"
        )


class ServiceSilent(SupervisorError):
    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(
            f"The child {name} runs but did not begin to work within {seconds:.0f} s: see its log lines above."
        )
