"""An agent without an engine: it speaks the protocol with the server's real code, and can be lost in any way."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agents import commands, reports, sessions
from agents.commands import Told
from agents.protocol import (
    Accept,
    AskPermit,
    Cancel,
    Changes,
    Engine,
    Finished,
    FromAgent,
    FromServer,
    Heartbeat,
    Hello,
    Leaving,
    Offer,
    Outcome,
    Permit,
    PlanFacts,
    Start,
    Stop,
    Work,
)
from agents.sessions import Rejected, Session
from iacplatform.base.problems import Problem
from pools.models import PoolToken
from tasks import plans
from tasks.models import Attempt, Plan, Task
from tests.simulation.ledger import Ledger

Key = tuple[int, int]


@dataclass
class Run:
    """A process of the agent. `plan`: digest of the plan that it would apply; `started`: terraform apply was spawned."""

    task: int
    epoch: int
    phase: str
    plan: str = ""
    started: bool = False
    cancelled: bool = False
    outcome: Outcome | None = None
    """How it ended; None while it runs."""
    has_changes: bool = True
    state: tuple[str, int] = ("", 0)
    """Lineage and serial that its plan was made for."""

    @property
    def work(self) -> Work:
        """It, as a hello or a heartbeat names it."""
        return Work(task=self.task, epoch=self.epoch)


@dataclass
class Agent:
    """Has a link to the server while `session` is set."""

    name: str
    token: PoolToken
    capacity: int
    ledger: Ledger
    session: Session | None = None
    told: Told = field(default_factory=Told)
    offers: dict[Key, Offer] = field(default_factory=dict)
    runs: dict[Key, Run] = field(default_factory=dict)
    over: list[Run] = field(default_factory=list)
    """Runs whose end was reported, or that the server did not want to hear of any more."""
    said: list[FromAgent] = field(default_factory=list)
    """Its words about attempts."""
    leaving: bool = False

    def connect(self) -> None:
        """Open a session, drop what the server does not want kept, and report what ended meanwhile."""
        hello = Hello(
            versions=("1",),
            name=self.name,
            instance=f"instance-{self.name}",
            capacity=self.capacity,
            engines=(Engine(name="terraform", version="1.11.4"),),
            os="linux",
            arch="amd64",
            agent_version="1",
            work=tuple(run.work for run in self.runs.values()),
        )
        self.session, welcome = sessions.open_session(self.token, hello)
        self.told = Told()
        self.leaving = False
        self.offers = {}
        kept = {(work.task, work.epoch) for work in welcome.keep}
        for key in self.runs.keys() - kept:
            self._drop(key)
        self._hear_all(lambda session: commands.pending(session, self.told))
        for run in [run for run in self.runs.values() if run.outcome]:
            self.report(run)

    def cut(self, *, noticed: bool) -> None:
        """Lose the link; processes go on. `noticed`: the server's socket saw its end."""
        if self.session is not None and noticed:
            sessions.close(self.session)
        self.session = None

    def die(self, *, noticed: bool) -> None:
        """Lose the link and every process."""
        self.cut(noticed=noticed)
        self.runs, self.offers, self.said = {}, {}, []

    def beat(self, *, hints_lost: bool) -> None:
        """Say that it lives and what it has; the consumer looks at the rows then, since a hint may have been lost."""
        self.say(Heartbeat(work=tuple(run.work for run in self.runs.values())))
        if self.session is not None and hints_lost:
            self._hear_all(lambda session: commands.pending(session, self.told))

    def listen(self, woken: set[str]) -> None:
        """Where a hint came for it, hear what the rows have, as its consumer would read them then."""
        if self.session is None or f"agent.{self.session.agent_id}" not in woken:
            return
        woken.discard(f"agent.{self.session.agent_id}")
        self._hear_all(lambda session: commands.pending(session, self.told))

    def accept_all(self) -> None:
        """Take what is offered."""
        offers, self.offers = self.offers, {}
        for task, epoch in offers:
            self.say(Accept(task=task, epoch=epoch))

    def ask_permit(self, run: Run) -> None:
        """Ask whether the apply may start; the answer starts it."""
        self.say(AskPermit(task=run.task, epoch=run.epoch))

    def end(self, run: Run, outcome: Outcome, *, has_changes: bool = True) -> None:
        """Let a process end; told at once with a link, else when there is one again."""
        run.outcome, run.has_changes = outcome, has_changes
        run.state = plans.state_now(Task.objects.get(pk=run.task).workspace_id)
        if self.session is not None:
            self.report(run)

    def report(self, run: Run) -> None:
        """Say how a process ended."""
        if run.outcome == "planned" and not self._uploads_plan(run):
            return
        self._drop((run.task, run.epoch))
        self.say(self._finished(run))

    def say_again(self, number: int) -> None:
        """Say one of its last words once more."""
        if self.said:
            self.say(self.said[-1 - number % min(6, len(self.said))])

    def report_again(self, number: int) -> None:
        """Say once more how an old process ended, or that one ended of which nobody wants to hear any more."""
        if not self.over:
            return
        run = self.over[-1 - number % min(6, len(self.over))]
        if run.outcome is None:
            self.end(run, "planned" if run.phase == "plan" else "applied" if run.started else "failed")
        else:
            self.report(run)

    def leave(self) -> None:
        """Say that it takes nothing new."""
        self.leaving = True
        self.say(Leaving())

    def say(self, word: FromAgent) -> None:
        """Say a word, and hear the answer."""
        if self.session is None:
            return
        if not isinstance(word, Heartbeat | Leaving):
            self.said.append(word)
        self._hear_all(lambda session: reports.handle(session, word))

    def _hear_all(self, ask: Callable[[Session], Sequence[FromServer]]) -> None:
        assert self.session is not None
        try:
            words = ask(self.session)
        except Rejected:
            self.session = None
            return
        for word in words:
            self._hear(word)

    def _hear(self, word: FromServer) -> None:
        if isinstance(word, Offer):
            self.offers[word.task, word.epoch] = word
        elif isinstance(word, Start):
            self._begin(word)
        elif isinstance(word, Stop):
            self.offers.pop((word.task, word.epoch), None)
            self._drop((word.task, word.epoch))
        elif isinstance(word, Cancel | Permit) and (run := self.runs.get((word.task, word.epoch))):
            self._obey(run, word)

    def _drop(self, key: Key) -> None:
        if run := self.runs.pop(key, None):
            self.over.append(run)

    def _begin(self, word: Start) -> None:
        self._demand_row(word)
        if (word.task, word.epoch) not in self.runs:
            task = Task.objects.select_related("workspace").get(pk=word.task)
            assert not (task.is_changing and task.workspace.is_locked), f"task {task.pk} starts in a locked workspace"
            self.runs[word.task, word.epoch] = Run(word.task, word.epoch, word.phase, plan=_plan_of(word))

    def _demand_row(self, word: Start | Permit) -> None:
        row = Task.objects.get(pk=word.task)
        assert self.session is not None
        assert (row.agent_id, row.epoch) == (self.session.agent_id, word.epoch), (
            f"{self.name} is told to go on with task {row.pk}, epoch {word.epoch}, which is another one's: {row.epoch}"
        )

    def _obey(self, run: Run, word: Cancel | Permit) -> None:
        if isinstance(word, Cancel):
            run.cancelled = True
        elif not run.started:
            self._demand_row(word)
            assert not plans.is_stale(Task.objects.get(pk=run.task)), f"a stale plan of task {run.task} is applied"
            run.started = True
            self.ledger.start(run.task, run.epoch, run.plan)

    def _uploads_plan(self, run: Run) -> bool:
        attempt = Attempt.objects.get(task_id=run.task, epoch=run.epoch)
        if attempt.ended_at is not None:
            return False
        try:
            for part in ("file", "json"):
                content = _content(run)
                plans.keep_part(attempt, part, content, hashlib.sha256(content).hexdigest())
        except Problem:
            return False
        return True

    def _finished(self, run: Run) -> Finished:
        assert run.outcome is not None
        facts = _facts(run) if run.outcome == "planned" else None
        code = {"killed": -9, "failed": 1}.get(run.outcome, 0)
        return Finished(
            task=run.task, epoch=run.epoch, outcome=run.outcome, exit_code=code, seconds=1, log_bytes=0, plan=facts
        )


def _plan_of(start: Start) -> str:
    if start.phase != "apply":
        return ""
    plan = Plan.objects.current_of(Task.objects.get(pk=start.task))
    return plan.digest if plan else ""


def _content(run: Run) -> bytes:
    return f"plan of task {run.task}, epoch {run.epoch}".encode()


def _facts(run: Run) -> PlanFacts:
    lineage, serial = run.state
    return PlanFacts(
        digest=hashlib.sha256(_content(run)).hexdigest(),
        lineage=lineage,
        serial=serial,
        engine="terraform",
        version="1.11.4",
        os="linux",
        arch="amd64",
        has_changes=run.has_changes,
        changes=Changes(add=int(run.has_changes), change=0, destroy=0),
    )
