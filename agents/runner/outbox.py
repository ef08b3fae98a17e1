"""What the server has to be told of one attempt, and what of it it has confirmed.

Everything is kept until it is confirmed and can be said again, in the same words, on another connection.
"""

import asyncio
import base64
import time
from dataclasses import replace

from agents.protocol import LOG_BATCH_BYTES, AskPermit, Finished, Log, Progress, Stage, Work
from agents.runner.spool import Spool

WINDOW_BYTES = 4 * LOG_BATCH_BYTES
"""Log bytes on their way; one noisy task must not fill the socket."""

PROGRESS_SECONDS = 0.25

LOG_SECONDS = 0.02
"""How long new log text waits for more, or for another word to go with: each message costs the server a transaction."""

PIECE_SECONDS = 0.2
"""From a piece of log that is not full to the next such one: the first line goes at once, what follows it gathers."""

Word = Progress | AskPermit | Log | Finished


class Outbox:
    """The words of one attempt. `news` is set whenever there may be something to send."""

    def __init__(self, work: Work, news: asyncio.Event) -> None:
        self.work = work
        self._news = news
        self._spool: Spool | None = None
        self._sent = self._acked = 0
        self._piece_due_at = 0.0
        # Where the server has every attempt that was accepted.
        self._progress = Progress(task=work.task, epoch=work.epoch, stage="preparing")
        self._progress_sent_at = 0.0
        self._progress_due_at: float | None = None
        self._is_evidence = False
        self._wants_permit = self._asked = False
        self._result: Finished | None = None
        self._result_sent = False
        self._seen: tuple[object, ...] = ()

    def open_log(self, spool: Spool) -> None:
        """Send what is in the spool from now on."""
        self._spool = spool

    def log_grew(self) -> None:
        """There is more in the spool."""
        delay = max(LOG_SECONDS, self._piece_due_at - time.monotonic())
        asyncio.get_running_loop().call_later(delay, self._news.set)

    def send_log(self) -> None:
        """Send what is in the spool now: the result waits until it is confirmed."""
        self._piece_due_at = 0.0
        self._news.set()

    def progress(self, stage: Stage, done: int = 0, total: int = 0) -> None:
        """Say where the phase is; a step is told at once, numbers at most four times a second, the last ones always."""
        fresh = Progress(task=self.work.task, epoch=self.work.epoch, stage=stage, done=done, total=total)
        if fresh == self._progress or self._result:
            return
        is_step = self._progress.stage != stage
        self._progress = fresh
        self._progress_due_at = 0.0 if is_step else self._progress_sent_at + PROGRESS_SECONDS
        asyncio.get_running_loop().call_later(max(0.0, self._progress_due_at - time.monotonic()), self._news.set)

    def ask_permit(self) -> None:
        """Ask, and ask again on each connection, until `permitted`."""
        self._wants_permit, self._asked = True, False
        self._news.set()

    def permitted(self) -> None:
        """The permit is here."""
        self._wants_permit = False

    def only_evidence(self) -> None:
        """Say no more than the log and the result: the attempt is not ours any more."""
        self._is_evidence, self._wants_permit = True, False

    @property
    def result(self) -> Finished | None:
        """The attempt's result, which is to be received; None where there is none yet."""
        return self._result

    @property
    def is_log_stored(self) -> bool:
        """Whether the server has the whole log so far."""
        return self._acked >= self._size

    def finish(self, result: Finished) -> None:
        """Report the result once the whole log is confirmed."""
        self._result = replace(result, log_bytes=self._size)
        self._news.set()

    def stored(self, offset: int) -> None:
        """The server has the log up to `offset`; one below what it had before asks for that part again."""
        if offset < self._acked:
            self._sent, self._piece_due_at = offset, 0.0
        self._acked = min(offset, self._size)
        self._sent = max(self._sent, self._acked)
        self._news.set()

    def resume(self) -> None:
        """Say everything again that is not confirmed: the connection is a new one."""
        self._sent = self._acked
        self._progress_due_at = self._piece_due_at = 0.0
        self._asked = self._result_sent = False
        self._seen = ()
        self._news.set()

    def remind(self) -> None:
        """Say again what stands unanswered since the last call: the server may have dropped a message."""
        outstanding = (self._acked, self._sent > self._acked, self._asked and self._wants_permit, self._result_sent)
        if outstanding == self._seen and any(outstanding[1:]):
            self.resume()
        else:
            self._seen = outstanding

    def due(self) -> list[Word]:
        """Return what is to be sent now, in order; it counts as sent. An engine waits for the permit: it goes first."""
        words: list[Word] = [*self._due_question(), *self._due_progress(), *self._due_log()]
        if self._result and not self._result_sent and self._acked >= self._size:
            self._result_sent = True
            words.append(self._result)
        return words

    @property
    def _size(self) -> int:
        return self._spool.size if self._spool else 0

    def _due_question(self) -> list[Word]:
        if not self._wants_permit or self._asked:
            return []
        self._asked = True
        return [AskPermit(task=self.work.task, epoch=self.work.epoch)]

    def _due_progress(self) -> list[Word]:
        if self._progress_due_at is None or self._is_evidence:
            return []
        if time.monotonic() < self._progress_due_at and self._result is None:
            return []
        self._progress_due_at, self._progress_sent_at = None, time.monotonic()
        return [self._progress]

    def _is_log_due(self) -> bool:
        """Text that fills no piece waits for its turn, and until the server has what is on its way.

        Or else a busy one would get small pieces faster than it can store them, and be ever farther behind.
        """
        new, on_its_way = self._size - self._sent, self._sent - self._acked
        if new >= LOG_BATCH_BYTES or self._result:
            return new > 0 and on_its_way < WINDOW_BYTES
        return new > 0 and not on_its_way and time.monotonic() >= self._piece_due_at

    def _due_log(self) -> list[Word]:
        words: list[Word] = []
        while self._spool and self._is_log_due():
            data = self._spool.read(self._sent, LOG_BATCH_BYTES)
            if not data:  # the disk does not give it back
                break
            text = base64.b64encode(data).decode()
            words.append(Log(task=self.work.task, epoch=self.work.epoch, offset=self._sent, data=text))
            self._sent += len(data)
            if len(data) < LOG_BATCH_BYTES:
                self._piece_due_at = time.monotonic() + PIECE_SECONDS
        return words
