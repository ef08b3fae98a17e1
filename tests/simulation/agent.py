"""An agent without an engine: it speaks the protocol with the server's real code, and can be lost in any way."""

from collections.abc import Callable
from dataclasses import dataclass, field

from agents import commands, offers, sessions
from agents.commands import Told
from agents.protocol import (
    Accept,
    AskPermit,
    Cancel,
    Engine,
    FromServer,
    Heartbeat,
    Hello,
    Leaving,
    Offer,
    Outcome,
    Permit,
    Received,
    Start,
    Stop,
)
from iacplatform.base.wakeups import Hint
from pools.models import PoolToken
from tasks import plans
from tasks.models import Task
from tests.simulation import confirmations
from tests.simulation.ledger import Ledger
from tests.simulation.link import Frame, Link
from tests.simulation.processes import Killed
from tests.simulation.runs import Run

Key = tuple[int, int]


@dataclass(kw_only=True)
class Agent(Link):
    """A program that has slots. `runs`: until the server says that it has the result."""

    name: str
    token: PoolToken
    capacity: int
    ledger: Ledger
    told: Told = field(default_factory=Told)
    offers: dict[Key, Offer] = field(default_factory=dict)
    runs: dict[Key, Run] = field(default_factory=dict)
    over: list[Run] = field(default_factory=list)
    """Runs whose result was received, or that the server did not want to hear of any more."""
    leaving: bool = False
    pod_name: str = ""

    @property
    def work(self) -> tuple[Run, ...]:
        """What it would say that it runs."""
        return tuple(self.runs.values())

    def connect(self) -> None:
        """Open a session, drop what the server does not want kept, and report what ended meanwhile."""
        hello = self._hello()
        try:
            session, welcome = self.processes.run(lambda: sessions.open_session(self.token, hello))
        except Killed:
            self.ledger.hear(self.name, surely=False)
            return
        self.session, self.told, self.offers = session, Told(), {}
        self.is_slow, self.leaving = False, self.leaving and bool(self.runs)
        self.ledger.hear(self.name, surely=True)
        kept = {(work.task, work.epoch) for work in welcome.keep}
        for key in self.runs.keys() - kept:
            self._drop(key)
        self.look()
        for run in [run for run in self.work if run.outcome]:
            self.report(run)

    def _hello(self) -> Hello:
        return Hello(
            versions=("1",),
            name=self.name,
            instance=f"instance-{self.name}",
            capacity=self.capacity,
            engines=(Engine(name="terraform", version="1.11.4"),),
            os="linux",
            arch="amd64",
            agent_version="1",
            work=tuple(run.work for run in self.work),
            pod_name=self.pod_name,
        )

    def cut(self, *, noticed: bool) -> None:
        """Lose the link; processes go on, and words may still be on their way. `noticed`: the server saw its end."""
        session, self.session = self.session, None
        if session is not None and noticed:
            self._in_process(lambda: sessions.close(session))

    def die(self, *, noticed: bool) -> None:
        """Lose the link and every process."""
        self.cut(noticed=noticed)
        self.runs, self.offers = {}, {}

    def look(self) -> None:
        """Hear what the rows have for it, as its consumer reads them."""
        if self.session is not None:
            self.ask(self.session, lambda session: commands.pending(session, self.told))

    def beat(self, *, hints_lost: bool) -> None:
        """Say that it lives and what it has; the consumer looks at the rows then, since a hint may have been lost."""
        if self.session is None:
            return
        self.say(Heartbeat(work=tuple(run.work for run in self.work)))
        if hints_lost and not self.is_slow:
            self.look()

    def deliver(self, frame: Frame) -> bool:
        """Let a word arrive at the server; return whether it was taken."""
        was_taken = super().deliver(frame)
        if isinstance(frame.word, Heartbeat):
            self.ledger.hear(self.name, surely=was_taken)
        return was_taken

    def listen(self, woken: dict[Hint, None]) -> None:
        """Where hints came for it, hear what they bring along, or else what the rows have."""
        mine = f"agent.{self.session.agent_id}" if self.session else ""
        for hint in [hint for hint in woken if hint[0] == mine]:
            del woken[hint]
            self._take(hint[1])

    def _take(self, word: str) -> None:
        offer = offers.brought(word)
        if offer is None:
            self.look()
        elif self.session is not None:
            self.ask(self.session, lambda _: commands.passed_on(offer, self.told))

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
        if outcome != "killed":
            run.unlock_state(self.ledger)
        self.report(run)

    def report(self, run: Run) -> None:
        """Say how a process ended; its result is kept until the server has it."""
        if self.session is not None and (run.outcome != "planned" or run.upload_plan()):
            self.say(run.finished())

    def say_again(self, number: int, *, anew: bool) -> None:
        """Say an old word once more; who says anew that it leaves, leaves."""
        super().say_again(number, anew=anew)
        self.leaving |= anew and isinstance(self.said[-1].word if self.said else None, Leaving)

    def report_again(self, number: int) -> None:
        """Say once more how an old process ended, or that one ended of which nobody wants to hear any more."""
        if not self.over or self.session is None:
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

    def _in_process(self, act: Callable[[], object]) -> None:
        try:
            self.processes.run(act)
        except Killed:
            return

    def hear(self, word: FromServer) -> None:
        """Do as the server says."""
        if isinstance(word, Offer):
            self.offers[word.task, word.epoch] = word
        elif isinstance(word, Start):
            self._begin(word)
        elif isinstance(word, Stop | Received):
            self.offers.pop((word.task, word.epoch), None)
            self._drop((word.task, word.epoch))
        elif isinstance(word, Cancel | Permit) and (run := self.runs.get((word.task, word.epoch))):
            self._obey(run, word)

    def _drop(self, key: Key) -> None:
        if run := self.runs.pop(key, None):
            self.over.append(run)

    def _begin(self, word: Start) -> None:
        task = self._demand_row(word)
        if (word.task, word.epoch) in self.runs:
            return
        assert not (task.is_changing and task.workspace.is_locked), f"task {task.pk} starts in a locked workspace"
        run = Run.begun(word, task)
        self.runs[word.task, word.epoch] = run
        if task.is_changing and task.pk % 2 and not run.lock_state():  # the others run with -lock=false
            self.end(run, "failed")

    def _demand_row(self, word: Start | Permit) -> Task:
        row = Task.objects.select_related("workspace").get(pk=word.task)
        assert self.session is not None
        assert (row.agent_id, row.epoch) == (self.session.agent_id, word.epoch), (
            f"{self.name} is told to go on with task {row.pk}, epoch {word.epoch}, which is another one's: {row.epoch}"
        )
        return row

    def _obey(self, run: Run, word: Cancel | Permit) -> None:
        if isinstance(word, Cancel):
            run.cancelled = True
        elif not run.started and run.outcome is None:
            self._demand_row(word)
            fits = run.planned_for == plans.state_now(run.workspace_id)
            assert fits, f"a stale plan of task {run.task} is applied: it was made for {run.planned_for}"
            run.started = True
            confirmations.catch_up(self.ledger, run.task)
            self.ledger.start(run.task, run.epoch, run.plan)
