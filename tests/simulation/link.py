"""What carries an agent's words to the server: it may be slow, cut, or bring words of old."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agents import reports
from agents.protocol import FromAgent, FromServer, Heartbeat
from agents.sessions import Rejected, Session
from iacplatform.base.problems import Problem
from tests.simulation.processes import Killed, Processes

KEPT_FRAMES = 8


@dataclass(frozen=True)
class Frame:
    """A word on its way, on the socket of this session."""

    session: Session
    word: FromAgent


@dataclass(kw_only=True)
class Link(ABC):
    """Is there while `session` is set."""

    processes: Processes
    session: Session | None = None
    said: list[Frame] = field(default_factory=list)
    """The last words about attempts."""
    mail: list[Frame] = field(default_factory=list)
    """Words that did not arrive yet: in any order, on whatever socket they were said."""
    is_slow: bool = False
    """Whether all that is said stays in the mail."""

    @abstractmethod
    def hear(self, word: FromServer) -> None:
        """Take what the server says."""

    def say(self, word: FromAgent) -> None:
        """Say a word, and hear the answer where it comes at once."""
        if self.session is None:
            return
        frame = Frame(self.session, word)
        if not isinstance(word, Heartbeat):
            self.said = [*self.said[1 - KEPT_FRAMES :], frame]
        if self.is_slow:
            self.mail.append(frame)
        else:
            self.deliver(frame)

    def say_again(self, number: int, *, anew: bool) -> None:
        """Let one of its last words come once more: said `anew` on its link, or on the socket that it was said on."""
        if self.said:
            frame = self.said[-1 - number % len(self.said)]
            self.say(frame.word) if anew else self.deliver(frame)

    def deliver_late(self, number: int, *, twice: bool) -> None:
        """Let any word from the mail arrive."""
        if self.mail:
            frame = self.mail.pop(number % len(self.mail))
            for _ in range(1 + twice):
                self.deliver(frame)

    def deliver(self, frame: Frame) -> bool:
        """Let a word arrive at the server; return whether it was taken."""
        return self.ask(frame.session, lambda session: reports.handle(session, frame.word))

    def ask(self, session: Session, ask: Callable[[Session], Sequence[FromServer]]) -> bool:
        """Let the server do something in the name of a session, and hear the answer; return whether there was one.

        What is answered on a socket of old, nobody hears.
        """
        is_current = session is self.session
        try:
            words = self.processes.run(lambda: ask(session))
        except (Rejected, Killed, Problem):
            self.session = None if is_current else self.session
            return False
        for word in words if is_current else ():
            self.hear(word)
        return True
