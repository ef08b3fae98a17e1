"""One try at one phase: from the server's `Start` to the result that waits for its `Received`."""

import asyncio
import time
from logging import LoggerAdapter, getLogger

from agents.protocol import Finished, FromServer, Start, Work
from agents.runner import applying, jobs, legacy, planning, preparing, room, verdicts, warmth
from agents.runner.control import Control, Ended, Ending
from agents.runner.errors import AttemptClosed, PhaseFailed
from agents.runner.masking import Masker
from agents.runner.outbox import Outbox, Word
from agents.runner.server import AttemptServer
from agents.runner.spool import Spool
from agents.runner.tools import Tools
from agents.runner.verdicts import Verdict
from agents.runner.workplace import Assignment

GRACE_SECONDS = {"plan": 30.0, "apply": 300.0}
"""Time between the SIGINT and the kill when nobody names one: an apply has to finish what it does to real things."""


class Attempt:
    """A running phase. `run` ends with a result in the outbox, or without one when there is nothing to tell.

    `is_ours`: the server counts on it; stopped, its log and result are evidence. `is_heard`: the server takes that.
    """

    takes_slot = True
    """Whether an engine of it may be at work."""

    def __init__(self, start: Start, tools: Tools, news: asyncio.Event) -> None:
        self.work = Work(task=start.task, epoch=start.epoch)
        self.phase = start.phase
        self.outbox = Outbox(self.work, news)
        self.permit = asyncio.Event()
        self.is_ours = self.is_heard = True
        self.log = LoggerAdapter(getLogger(__name__), {"task": start.task})
        self._control = Control()
        self._tools = tools
        self._start = start
        self._began = time.monotonic()
        self._server = AttemptServer(tools.http, tools.options.server, start.token, self.log)
        self._folder = tools.workdir.folder(start.task)
        self._spool: Spool | None = None

    async def run(self) -> None:
        """Run the phase to its end; never raises but for a fault of our own that no result can carry."""
        self.log.info("Starts the %s (epoch %s).", self.phase, self.work.epoch)
        verdict = await self._verdict()
        if verdict is None:
            self.is_ours = False
            self.log.info("Ends the %s without a result: there is none that this agent could tell.", self.phase)
            return
        self._close_log(verdict)
        self.log.info("The %s has ended: %s.", self.phase, verdict.outcome)
        self.outbox.finish(self._result(verdict))
        if result := self.outbox.result:
            legacy.add_result(self._folder.left, result)

    def cancel(self, grace_seconds: float) -> None:
        """End the phase because a person wants that; the result will say how it ended."""
        self.outbox.progress("cancelling")
        self._control.end(Ending.CANCELLED, grace_seconds)

    def stop(self) -> None:
        """End the phase, which is not ours; what an engine did is still told."""
        self.is_ours = False
        self.outbox.only_evidence()
        self._control.end(Ending.STOPPED, GRACE_SECONDS[self.phase])

    def allow(self) -> None:
        """Take the server's permit."""
        self.outbox.permitted()
        self.permit.set()

    async def say(self, word: Word) -> list[FromServer]:
        """Say a word by the attempt's own token, and return the answer. Raises `AttemptClosed`, `NotWelcome`."""
        return await self._server.say(word)

    def close(self) -> None:
        """Close the log: the server has all of it, or does not take it."""
        if self._spool:
            self._spool.close()

    def clear_folder(self) -> None:
        """Remove what nobody needs any more: a plan waits here for its apply, and what was not taken for people."""
        if self.is_heard:
            self._folder.left.unlink(missing_ok=True)
        if unsaved := self._folder.unsaved_states():
            self.log.error("Keeps a state that could not be stored: %s.", unsaved[0])
        elif self._folder.seal.exists() and self.is_ours:
            self._folder.keep_warm()
        elif not self.is_heard:
            self.log.warning("Keeps what the server did not take: %s.", self._folder.run)
        elif not self._folder.has_engine():
            self._folder.remove()

    async def _verdict(self) -> Verdict | None:
        """Return how the phase ended, None when there is nothing to tell."""
        try:
            return await self._phase()
        except AttemptClosed:
            self.stop()
            return self._broken_off()
        except Ended:
            return self._broken_off()
        except PhaseFailed as failure:
            return verdicts.of_failure(failure)
        except Exception as error:
            if room.is_lacking(error):
                return verdicts.of_failure(room.none_left(self._tools.workdir.root))
            self.log.exception("The agent failed.")
            where = f"{type(error).__name__}{f': {error.strerror}' if isinstance(error, OSError) else ''}"
            return verdicts.of_failure(
                PhaseFailed("agent_failed", f"The agent itself failed ({where}); its own log has more.")
            )

    def _broken_off(self) -> Verdict | None:
        is_untold = self._control.ending is Ending.STOPPED and not self._control.has_run
        return None if is_untold else verdicts.of_ending(self.phase, self._control)

    async def _phase(self) -> Verdict | None:
        room.demand(self._tools.workdir.root)
        await asyncio.to_thread(self._tools.stock.demand)
        job = await self._job(warmth.sealed_configuration(self._folder) if self.phase == "apply" else "")
        timer = asyncio.get_running_loop().call_later(
            job.timeout_seconds, self._control.end, Ending.TIMED_OUT, GRACE_SECONDS[self.phase]
        )
        watching = asyncio.create_task(self._watch_room())
        try:
            return await self._run(job)
        finally:
            timer.cancel()
            watching.cancel()

    async def _watch_room(self) -> None:
        await room.outgrown(self._folder.root, self._tools.options.task_bytes)
        self._control.end(Ending.OUTGROWN, GRACE_SECONDS[self.phase])

    async def _job(self, known: str = "") -> jobs.Job:
        return jobs.parse(await self._control.unless_ended(self._server.job(known)))

    async def _run(self, job: jobs.Job) -> Verdict:
        is_warm = await asyncio.to_thread(preparing.open_folder, self._folder, job)
        if not (is_warm or job.has_files):
            job = await self._job()
        place = await preparing.workplace(self._tools, self._assignment(job), is_warm)
        if self.phase == "apply":
            return await applying.apply(place, self._tools.providers, self.permit)
        verdict = await planning.plan(place, self._tools.providers)
        if verdict.plan and verdict.plan.has_changes and job.task_type != "plan":
            await asyncio.to_thread(warmth.seal, self._folder, job)
        return verdict

    def _assignment(self, job: jobs.Job) -> Assignment:
        masker = preparing.masker(job, self._start.token)
        self._folder.log.unlink(missing_ok=True)  # an earlier attempt may still read its own
        legacy.leave(self._folder.left, self._start, job, server=self._tools.options.server)
        return self._assigned(job, masker, Spool(self._folder.log, masker))

    def _assigned(self, job: jobs.Job, masker: Masker, spool: Spool) -> Assignment:
        self._spool = spool
        self.outbox.open_log(spool)
        return Assignment(
            job=job,
            token=self._start.token,
            folder=self._folder,
            log=spool,
            masker=masker,
            outbox=self.outbox,
            control=self._control,
            server=self._server,
        )

    def _close_log(self, verdict: Verdict) -> None:
        if self._spool and verdict.error_message and verdict.error_code not in verdicts.SAID_BY_ENGINE:
            self._spool.write(f"\n{verdict.error_message}\n")
        if self._spool:
            self._spool.flush()

    def _seconds(self) -> float:
        """Return for how long it has lasted."""
        return time.monotonic() - self._began

    def _result(self, verdict: Verdict) -> Finished:
        return Finished(
            task=self.work.task,
            epoch=self.work.epoch,
            outcome=verdict.outcome,
            exit_code=verdict.exit_code,
            seconds=round(self._seconds(), 3),
            log_bytes=0,  # the outbox knows
            error_code=verdict.error_code,
            error_message=verdict.error_message,
            plan=verdict.plan,
        )
