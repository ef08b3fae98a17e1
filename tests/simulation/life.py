"""What people and agents do in the simulated world, and what is checked and written down while they do it."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from typing import Any, TypeVar

import pytest

from iacplatform.base.problems import Problem
from tasks import cancellation, confirmation, creation, recovery
from tasks.models import Plan, Task, TaskEvent
from tasks.states import LIVE, Event, Status, TaskType
from tests import emptying
from tests.simulation import invariants
from tests.simulation.agent import Agent, Run
from tests.simulation.invariants import View
from tests.simulation.world import World, deaf, hints_to, same_names
from workspaces import locks
from workspaces.models import Workspace

REST_SECONDS = 90
REST_SLICE_SECONDS = 10
MOST_TASKS = 12

Thing = TypeVar("Thing")


def pick(things: Sequence[Thing], number: int) -> Thing:
    """Return one of them, the same for the same number."""
    return things[number % len(things)]


class Life:
    """`mind`: the digest that people read on a task's page; `beforehand`: tasks whose creator agreed to their plan."""

    def __init__(self) -> None:
        emptying.empty()
        self.around = ExitStack()
        self.around.enter_context(same_names())
        self.world = World.made()
        self.around.enter_context(hints_to(self.world.woken))
        self.mind: dict[int, str] = {}
        self.beforehand: set[int] = set()
        self.view = View([], [], [], {})
        self.noted = 0
        for agent in self.world.agents:
            agent.connect()
        for number, task_type in enumerate([TaskType.PLAN_AND_APPLY, TaskType.PLAN_AND_APPLY, TaskType.DESTROY]):
            self.create(number, task_type, by=0, news=False)
        self.look()

    def end(self) -> None:
        """Repair everything; then nothing may be stuck."""
        try:
            self.come_to_rest()
        finally:
            self.around.close()

    # What is checked -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """See what the step did; note what was confirmed by itself."""
        self.view = View.now(self.view)
        self.note_auto_apply()

    def check(self) -> None:
        """Fail where a promise is broken."""
        self.look()
        invariants.check(self.view, self.world.ledger)

    def come_to_rest(self) -> None:
        """Let all agents come back and do their work while time passes, until nothing waits but for a person."""
        for agent in self.world.agents:
            if agent.session is None or agent.leaving:
                agent.connect()
        for _ in range(REST_SECONDS // REST_SLICE_SECONDS):
            self.world.pass_time(REST_SLICE_SECONDS, swept=True)
            self.work_off()
            self.check()
            if not invariants.restless(self.view):
                return
        pytest.fail(f"{REST_SECONDS} s after the last fault these are stuck: {invariants.restless(self.view)}")

    def note_auto_apply(self) -> None:
        """Hold what was confirmed by itself against what was agreed when the task was made."""
        for news in TaskEvent.objects.filter(event=Event.AUTO_APPLY, id__gt=self.noted).order_by("id"):
            self.noted, task_id = news.pk, news.task_id
            assert task_id in self.beforehand, f"task {task_id} was confirmed by itself, and nobody agreed to it"
            assert task_id not in self.world.ledger.confirmed, f"task {task_id} was confirmed by itself after a re-plan"
            self.world.ledger.confirm(task_id, Plan.objects.get(task_id=task_id).digest)

    # People ----------------------------------------------------------------------------------------------------------

    def create(self, number: int, task_type: TaskType, by: int, news: bool) -> None:
        """Make a task in some workspace."""
        workspace = Workspace.objects.get(pk=pick(self.world.workspaces, number).pk)
        with self.losing(news):
            task = creation.create(workspace, task_type=task_type, by=self.world.people[by])
        self.remember(task, workspace)

    def confirm(self, task_id: int, digest: str, by: int, news: bool) -> None:
        """Confirm; what counted is written down with what was on the page."""
        shown, confirm = Task.objects.get(pk=task_id), confirmation.confirm
        if self.attempt(lambda: confirm(shown, by=self.world.people[by], plan_digest=digest), news):
            self.world.ledger.confirm(task_id, digest or shown.plan_digest)

    def press(self, button: str, task: Task, by: int, news: bool) -> None:
        """Press one of the other buttons on a task's page."""
        person = self.world.people[by]
        verbs: dict[str, Callable[[], Any]] = {
            "discard": lambda: confirmation.discard(task, by=person),
            "cancel": lambda: cancellation.cancel(task, by=person),
            "force_cancel": lambda: cancellation.force_cancel(task, by=person),
            "retry": lambda: recovery.retry(task, by=person),
            "mark_failed": lambda: recovery.mark_failed(task, by=person, reason="Over."),
        }
        answer = self.attempt(verbs[button], news)
        if button == "retry" and isinstance(answer, Task) and answer.pk != task.pk:
            self.remember(answer, answer.workspace)

    def meddle(self, what: str, seen: Workspace, by: int, news: bool) -> None:
        """Do something to a workspace: its lock, its state, or where its tasks run."""
        workspace = Workspace.objects.get(pk=seen.pk)
        verbs: dict[str, Callable[[], Any]] = {
            "lock": lambda: locks.lock(workspace, by=self.world.people[by], reason="Hands off."),
            "unlock": lambda: locks.unlock(workspace),
            "upload_state": lambda: self.world.upload_state(workspace),
        }
        self.attempt(verbs.get(what) or (lambda: self.world.move(workspace, what)), news)

    def remember(self, task: Task, workspace: Workspace) -> None:
        """Note whether its creator agreed beforehand to its plan."""
        if workspace.auto_apply and task.task_type == TaskType.PLAN_AND_APPLY:
            self.beforehand.add(task.pk)

    def losing(self, news: bool) -> Any:
        """Return a context in which the news is lost, or one in which nothing is special."""
        self.world.hints_lost |= news
        return deaf() if news else nullcontext()

    def attempt(self, verb: Callable[[], Any], news: bool) -> Any:
        """Do it; a refusal is a sentence with status 409."""
        try:
            with self.losing(news):
                return verb()
        except Problem as refused:
            assert refused.status == 409 and refused.detail.endswith("."), refused.detail
            return None

    # Agents ----------------------------------------------------------------------------------------------------------

    def connected(self) -> list[Agent]:
        """Return the agents with a link."""
        return [agent for agent in self.world.agents if agent.session is not None]

    def busiest(self) -> list[Agent]:
        """Return the agents with a link that apply something, else those that do anything, else all of them."""
        at_work = [agent for agent in self.connected() if agent.runs]
        applying = [agent for agent in at_work if any(run.started for run in agent.runs.values())]
        return applying or at_work or self.connected()

    def take_offers(self, news: bool) -> None:
        """Let the agents that were woken accept what they are offered."""
        for agent in self.connected():
            agent.accept_all()  # what it heard of long ago
            agent.listen(self.world.woken)
            with self.losing(news):
                agent.accept_all()

    def start_applies(self) -> None:
        """Let agents and a person get into the middle of as many applies as they can."""
        self.take_offers(news=False)
        for agent, run in self.runs():
            if run.phase == "plan":
                self.advance(agent, run, "well")
        self.look()
        for task in self.to_confirm():
            self.confirm(task.pk, task.plan_digest, by=0, news=False)
        self.take_offers(news=False)
        for agent, run in self.runs():
            if run.phase == "apply" and not run.started and not run.cancelled and agent.session is not None:
                agent.ask_permit(run)

    def runs(self) -> list[tuple[Agent, Run]]:
        """Return the processes that run, each with its agent."""
        found = [(agent, run) for agent in self.world.agents for run in agent.runs.values()]
        return [(agent, run) for agent, run in found if run.outcome is None]

    def advance(self, agent: Agent, run: Run, how: str) -> None:
        """Bring a process one step further, in a way that a real one could go."""
        if how in {"failed", "killed"}:
            agent.end(run, how)  # type: ignore[arg-type]
        elif run.cancelled:
            agent.end(run, "cancelled")
        elif run.phase == "plan":
            agent.end(run, "planned", has_changes=how != "unchanged")
        elif not run.started:
            agent.ask_permit(run)
        elif how == "stale":
            agent.end(run, "stale")
        else:
            self.world.upload_state(Task.objects.get(pk=run.task).workspace)
            agent.end(run, "applied")

    def work_once(self, agent: Agent) -> bool:
        """Do one round of an agent's work; return whether there was any."""
        agent.listen(self.world.woken)
        agent.accept_all()
        runs = [run for run in agent.runs.values() if run.outcome is None]
        for run in runs:
            self.advance(agent, run, "well")
        if runs:
            self.note_auto_apply()
        return bool(runs)

    def work_off(self) -> None:
        """Let agents do all that they can, until nothing more is offered."""
        for _ in range(4 * MOST_TASKS):
            at_work = [self.work_once(agent) for agent in self.world.agents]
            if not any(at_work):
                return

    def live(self) -> list[Task]:
        """Return the tasks that are not final."""
        return self.view.with_status(*LIVE)

    def waiting_for(self, button: str) -> list[Task]:
        """Return the tasks that wait for somebody to press just this button."""
        stale = [task for task in self.to_confirm() if task.reason_code == "plan_stale"]
        lost = self.view.with_status(Status.NEEDS_ATTENTION)
        return {"retry": lost + stale, "mark_failed": lost, "discard": stale}.get(button, [])

    def read_and_planned_again(self) -> list[int]:
        """Return the tasks that show another plan now than the one that somebody read."""
        return [task.pk for task in self.to_confirm() if self.mind.get(task.pk, task.plan_digest) != task.plan_digest]

    def to_confirm(self) -> list[Task]:
        """Return the tasks that await confirmation."""
        return self.view.with_status(Status.APPLY_PENDING)
