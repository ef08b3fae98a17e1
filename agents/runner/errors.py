"""What can go wrong in an agent, one sentence each."""


class BadConfiguration(Exception):
    """The agent cannot start as it was called; the text says what to change. Exit status 2."""


class NotWelcome(Exception):
    """The server refused this agent for good; the text is the server's sentence. Exit status 3."""


class AttemptClosed(Exception):
    """The server says that the attempt is not this agent's any more (401, 410 or an older epoch)."""


class PhaseFailed(Exception):
    """The phase cannot succeed. `code` and the text become `error_code` and `error_message` of the task."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
