"""Why the demonstration ended early: one sentence each."""

from typing import Any


class DemonstrationError(Exception):
    """The demonstration cannot go on; the message is one line for people."""


class EngineMissing(DemonstrationError):
    def __init__(self) -> None:
        super().__init__(
            "Neither terraform nor tofu is on PATH, and IAC_AGENT_TOFU_MIRROR is empty, so that OpenTofu is not "
            "downloaded either: install one of them, or unset the variable, and try again "
            "(https://developer.hashicorp.com/terraform/install, https://opentofu.org/docs/intro/install)."
        )


class NoAgent(DemonstrationError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"No agent was connected within {seconds:.0f} s: the log says what the built-in one does.")


class Refused(DemonstrationError):
    def __init__(self, method: str, path: str, status: int, detail: str) -> None:
        super().__init__(f"The API refused {method} {path} with status {status}: {detail}")


class NoAnswer(DemonstrationError):
    def __init__(self, method: str, path: str, reason: str) -> None:
        super().__init__(f"The API did not answer {method} {path}: {reason}.")


class TaskFailed(DemonstrationError):
    def __init__(self, task: dict[str, Any]) -> None:
        code = f" ({task['error_code']})" if task.get("error_code") else ""
        why = task.get("error_message") or (task.get("wait_reason") or {}).get("message") or "no reason was given"
        super().__init__(f"Task {task['id']} is {task['status']}{code}: {why}")


class TooSlow(DemonstrationError):
    def __init__(self, task: dict[str, Any], awaited: str, seconds: float) -> None:
        reason = task.get("wait_reason") or {}
        why = f": {reason['message']}" if reason.get("message") else ""
        super().__init__(f"Task {task['id']} is still {task['status']} and not {awaited} after {seconds:.0f} s{why}")
