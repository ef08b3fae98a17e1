"""What can happen in a step of a schedule, to people, agents, time and our own processes.

Each step is one thing that somebody does, and a fault may strike in it: a process of ours is killed, all news of the step
is lost, or another worker sweeps in the middle of it. What a step finds to work on it picks by a number from what there is.
"""

from tasks.states import Status, TaskType
from tests.simulation.life import MOST_TASKS, Life
from tests.simulation.processes import Fault
from tests.simulation.world import pick

FAR = 1000
"""Seconds for which nothing of ours may be up."""


class Platform:
    """A life with the verbs of its steps."""

    def __init__(self) -> None:
        self.life = Life()
        self.world, self.people, self.crew = self.life.world, self.life.people, self.life.crew

    def create(self, number: int, task_type: str, by: int, fault: Fault) -> None:
        """A person makes a task."""
        if len(self.life.view.tasks) < MOST_TASKS:
            with self.life.harmed(fault):
                self.people.create(number, TaskType(task_type), by)

    def confirm(self, what: str, number: int, by: int, fault: Fault) -> None:
        """A person confirms the plan that is shown, by a double click too, or one that they have read long ago."""
        life, mind = self.life, self.people.mind
        if not life.to_confirm():
            self.crew.plan()
            life.look()
        outdated = life.read_and_planned_again()
        if outdated or (what == "as read" and mind):
            task_id = pick(outdated or sorted(mind), number)
            with life.harmed(fault):
                self.people.confirm(task_id, mind.pop(task_id), by)
        elif life.to_confirm():
            task = pick(life.to_confirm(), number)
            mind[task.pk] = task.plan_digest
            with life.harmed(fault):
                for _ in range({"shown": 1, "twice": 2}.get(what, 0)):
                    self.people.confirm(task.pk, task.plan_digest, by, names_it=False)

    def press(self, button: str, number: int, anywhere: bool, by: int, fault: Fault) -> None:
        """A person presses a button on any task, or one that a task waits for."""
        offered = [] if anywhere else self.life.buttons()
        pressed = offered or [(button, task.pk) for task in self.life.view.tasks]
        button, task_id = pick(pressed, number)
        with self.life.harmed(fault):
            self.people.press(button, task_id, by)

    def meddle(self, what: str, number: int, by: int, fault: Fault) -> None:
        """A person does something to a workspace: its lock, its state (under a plan), or where its tasks run."""
        planned = {task.workspace_id for task in self.life.view.with_status(Status.APPLY_PENDING, Status.CONFIRMED)}
        under = [each for each in self.world.workspaces if each.pk in planned] if what == "upload_state" else []
        with self.life.harmed(fault):
            self.people.meddle(what, pick(under or self.world.workspaces, number), by)

    def go_on(self, number: int, how: str, times: int, fault: Fault) -> None:
        """Agents take offers, and processes get further: they ask for the permit or end, with or without a link."""
        with self.life.harmed(fault):
            for turn in range(times):
                self.crew.take_offers()
                if self.crew.runs():
                    agent, run = pick(self.crew.runs(), number + turn)
                    self.crew.advance(agent, run, how)

    def work(self, rounds: int) -> None:
        """Nothing special happens for a while."""
        for _ in range(rounds):
            for agent in self.crew.connected():
                self.crew.work_once(agent)

    def trouble(self, what: str, number: int, noticed: bool, applying: bool, fault: Fault) -> None:
        """An agent at work dies with all that it runs, loses its link, looks at its offers late, or leaves."""
        if applying:
            self._start_applies()
        else:
            self.crew.take_offers()
        if not self.crew.connected():
            return
        agent = pick(self.crew.busiest(), number)
        with self.life.harmed(fault):
            if what in {"die", "cut"}:
                (agent.die if what == "die" else agent.cut)(noticed=noticed)
            else:
                (agent.leave if what == "leave" else agent.look)()

    def connect(self, number: int, fault: Fault) -> None:
        """An agent without a link comes back."""
        if gone := self.crew.gone():
            with self.life.harmed(fault):
                pick(gone, number).connect()

    def frames(self, what: str, number: int, fault: Fault) -> None:
        """Words of an agent stay on the way, arrive in any order, on a socket of old, twice, or are said again."""
        full = [agent for agent in self.world.agents if agent.mail] if "late" in what else []
        agent = pick(full or self.world.agents, number)
        with self.life.harmed(fault):
            if what == "slow":
                self.crew.work_unheard(agent)
            elif "late" in what:
                agent.deliver_late(number, twice=what == "late twice")
            elif what == "result again":
                agent.report_again(number)
            else:
                agent.say_again(number, anew=what == "anew")

    def wait(self, seconds: int, swept: bool, served: bool, fault: Fault) -> None:
        """Time passes, maybe without a sweep, maybe while our web processes are down; long time, while all of ours is."""
        if seconds > FAR:
            self.world.be_away(seconds)
            return
        with self.life.harmed(fault):
            self.life.pass_time(seconds, swept=swept, served=served)

    def stall(self) -> None:
        """A worker stands still in the middle of a sweep, or ends."""
        self.world.stall(not self.world.is_stalled)

    def _start_applies(self) -> None:
        """Get into the middle of as many applies as there can be."""
        self.crew.plan()
        self.life.look()
        for task in self.life.to_confirm():
            self.people.confirm(task.pk, task.plan_digest, by=0)
        self.crew.start_applies()
