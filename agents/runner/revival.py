"""Attempts of the agent's former life, which was killed: what they left in the work folder is brought all the same.

An apply may still be at work: it is followed to its end, and what its own words prove is its result. Nothing is started
again. What the engine said is masked with the job's sensitive values, which only the server has: it gives them as long
as the attempt is not over. After that only what was masked before is brought, and the rest stays on the agent.
"""

import asyncio
import logging
import time
from contextlib import suppress
from pathlib import Path

from agents.protocol import Engine
from agents.runner import configuration, jobs, legacy, preparing, rescue, steps, survivor, verdicts
from agents.runner.attempt import GRACE_SECONDS, Attempt
from agents.runner.control import EVIDENCE_SECONDS, Ended, Ending
from agents.runner.engines import Binary
from agents.runner.errors import AttemptClosed, PhaseFailed
from agents.runner.folder import TaskFolder
from agents.runner.legacy import Legacy
from agents.runner.masking import Masker
from agents.runner.process import Orphan
from agents.runner.spool import Spool
from agents.runner.survivor import Noted
from agents.runner.tools import Tools
from agents.runner.verdicts import Verdict
from agents.runner.workplace import Workplace

log = logging.getLogger(__name__)


def attempts(tools: Tools, news: asyncio.Event) -> list["Revived"]:
    """Return the attempts that former lives of this agent have left, of the server that it works for now."""
    found = [(folder, legacy.read(folder.left)) for folder in tools.workdir.folders()]
    return [Revived(left, tools, news) for folder, left in found if left and _can_go_on(folder, left, tools)]


def _can_go_on(folder: TaskFolder, left: Legacy, tools: Tools) -> bool:
    if why := legacy.why_it_stays(left, survivor.read(folder.engine_note), tools.options.server):
        log.warning("What is in %s stays here: %s.", folder.root, why)
    return not why


class Revived(Attempt):
    """An attempt that began in a former life. It counts where its result is known, or its apply may yet tell it."""

    def __init__(self, left: Legacy, tools: Tools, news: asyncio.Event) -> None:
        super().__init__(left.start, tools, news)
        self._left = left
        self._noted = survivor.read(self._folder.engine_note)
        self._has_more = False
        """Whether there is more in the folder than could be brought."""
        self.takes_slot = left.result is None and self._may_have_applied()
        if left.result is None and not self.takes_slot:
            self.is_ours = False
            self.outbox.only_evidence()

    async def run(self) -> None:
        """Bring what there is; wait for the end of an apply that is still at work."""
        if self._left.result is not None:
            self._go_on_with_log(Masker([]))
            self.outbox.finish(self._left.result)
            return
        await super().run()
        if self.outbox.result is None:
            self.outbox.only_evidence()
            await self._bring_log()

    def clear_folder(self) -> None:
        """Remove the folder, unless it has more."""
        if not self._has_more:
            super().clear_folder()
        elif self.is_heard:
            self._folder.left.unlink(missing_ok=True)

    def _may_have_applied(self) -> bool:
        return self._noted is not None and self._noted.step == survivor.APPLY

    def _seconds(self) -> float:
        return max(0.0, time.time() - self._left.began_at)

    async def _verdict(self) -> Verdict | None:
        try:
            return await self._phase()
        except Exception:  # whatever went wrong here, it says nothing about how the engine has ended
            self.log.exception("The agent failed to take it up.")
            self._has_more = True
            return None

    async def _phase(self) -> Verdict | None:
        if self._noted is None or not self._may_have_applied():
            await asyncio.to_thread(survivor.end_harmless, self._folder.engine_note)
            self._go_on_with_log(Masker([]))
            return None
        self.outbox.progress("applying")
        try:
            job = jobs.parse(await self._control.unless_stopped(self._server.job()))
        except (AttemptClosed, Ended, PhaseFailed):
            await self._without_its_job(self._noted)
            return None
        return await self._to_its_end(job, self._noted)

    async def _to_its_end(self, job: jobs.Job, noted: Noted) -> Verdict | None:
        place = self._place(job, preparing.masker(job, self._start.token), noted.log_bytes)
        left_seconds = max(0.0, job.timeout_seconds - self._seconds())
        loop, grace = asyncio.get_running_loop(), GRACE_SECONDS[self.phase]
        timer = loop.call_later(left_seconds, self._control.end, Ending.TIMED_OUT, grace)
        try:
            step = await steps.take_over(place, Orphan(noted, self._folder.engine_note))
        finally:
            timer.cancel()
        place.log.caught_up()
        await rescue.save_state(place)
        verdict = verdicts.of_orphan(place, step)
        if verdict is None:
            place.say("\nThe agent was killed and came back. The engine has ended, and no word of it says how.")
        return verdict

    async def _without_its_job(self, noted: Noted) -> None:
        """Bring what is masked already, and the state; what the engine said after that must not leave the agent."""
        self._has_more = True
        place = self._place(self._job_left(), Masker([self._start.token]), self._folder.log.stat().st_size)
        await Orphan(noted, self._folder.engine_note).finish(self._control, self._control.ended)
        place.say(f"\nThe agent was killed, and came back too late for more. The rest is on it, in {place.folder.run}.")
        await rescue.save_state(place)

    def _job_left(self) -> jobs.Job:
        """Return what is known of the job without its server: enough to bring a state."""
        return jobs.Job(
            phase=self.phase,
            task_type="plan_and_apply",
            workspace_name="",
            engine="terraform",
            version="",
            working_directory=self._left.working_directory,
            configuration="",
            has_files=False,
            files={},
            archive=None,
            variables=(),
            timeout_seconds=0,
            state_url=self._left.state_url,
            plan=None,
        )

    def _place(self, job: jobs.Job, masker: Masker, said_again_from: int) -> Workplace:
        spool = Spool(self._folder.log, masker, said_again_from=said_again_from)
        return Workplace(
            **vars(self._assigned(job, masker, spool)),
            binary=Binary(engine=_engine(job), path=Path()),
            isolation=self._tools.isolation,
            start=configuration.start(self._folder.config, job.working_directory),
            known={},
            is_warm=True,
            environment={},
            variables=[],
        )

    def _go_on_with_log(self, masker: Masker) -> None:
        """Bring the log as it is."""
        if self._folder.log.is_file():
            self._spool = Spool(self._folder.log, masker, said_again_from=self._folder.log.stat().st_size)
            self.outbox.open_log(self._spool)
            self.outbox.send_log()

    async def _bring_log(self) -> None:
        """Wait until the server has the log, or the time for that is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(EVIDENCE_SECONDS):
                while not self.outbox.is_log_stored:
                    await asyncio.sleep(steps.LOOK_SECONDS)
        self.is_heard = self.outbox.is_log_stored


def _engine(job: jobs.Job) -> Engine:
    return Engine(name=job.engine, version=job.version)
