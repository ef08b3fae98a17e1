"""Random schedules of people, agents, time and faults over the real domain code, on a real database.

Each step is one thing that somebody does, and a fault may strike in it: a process of ours is killed, all news of the step
is lost, or another worker sweeps in the middle of it. After each step every promise is checked; at the end of a schedule
everything that was broken is repaired, and what does not come to rest within 90 seconds of the platform's own time is
stuck.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tasks.states import Status, TaskType
from tests.simulation.life import MOST_TASKS, Life
from tests.simulation.processes import Fault
from tests.simulation.world import pick

which = st.integers(0, 11)
anyone = st.integers(0, 1)

_RARE = ["deaf", "deaf", "killed", "killed", "committed", "committed", "sweep", "late sweep"]
faults = st.builds(
    lambda kind, number: Fault(kind, 1 + number % 4 if kind == "committed" else number),
    st.sampled_from([""] * 16 + _RARE),
    st.integers(1, 40),
)


class Platform(RuleBasedStateMachine):
    """Few rules with many ways each, since schedules in which half of the rules are left out seldom get far."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()

    @rule(number=which, task_type=st.sampled_from(TaskType), by=anyone, fault=faults)
    def create(self, number: int, task_type: TaskType, by: int, fault: Fault) -> None:
        """A person makes a task."""
        if len(self.life.view.tasks) < MOST_TASKS:
            with self.life.harmed(fault):
                self.life.people.create(number, task_type, by)

    @rule(what=st.sampled_from(["shown", "shown", "twice", "read", "as read"]), number=which, by=anyone, fault=faults)
    def confirm(self, what: str, number: int, by: int, fault: Fault) -> None:
        """A person confirms the plan that is shown, by a double click too, or one that they have read long ago."""
        life, mind = self.life, self.life.people.mind
        if not life.to_confirm():
            life.crew.plan()
            life.look()
        outdated = life.read_and_planned_again()
        if outdated or (what == "as read" and mind):
            task_id = pick(outdated or sorted(mind), number)
            with life.harmed(fault):
                life.people.confirm(task_id, mind.pop(task_id), by)
        elif life.to_confirm():
            task = pick(life.to_confirm(), number)
            mind[task.pk] = task.plan_digest
            with life.harmed(fault):
                for _ in range({"shown": 1, "twice": 2}.get(what, 0)):
                    life.people.confirm(task.pk, task.plan_digest, by, names_it=False)

    @rule(
        button=st.sampled_from(["discard", "cancel", "cancel", "force_cancel", "retry", "mark_failed", "release_lock"]),
        number=which,
        anywhere=st.booleans(),
        by=anyone,
        fault=faults,
    )
    def press(self, button: str, number: int, anywhere: bool, by: int, fault: Fault) -> None:
        """A person presses another button: on any task, or on one where it may do something."""
        life = self.life
        helped = life.waiting_for(button)
        tasks = life.view.tasks if anywhere else helped or life.live()
        if tasks:
            with life.harmed(fault):
                life.people.press(button, pick(tasks, number).pk, by)

    @rule(
        what=st.sampled_from(
            [
                "lock",
                "unlock",
                "unlock",
                "upload_state",
                "upload_state",
                "lock_state",
                "unlock_state",
                "unlock_state",
                "local",
                "side",
                "nowhere",
            ]
        ),
        number=which,
        by=anyone,
        fault=faults,
    )
    def meddle(self, what: str, number: int, by: int, fault: Fault) -> None:
        """A person does something to a workspace: its lock, its state (under a plan), or where its tasks run."""
        life = self.life
        planned = {task.workspace_id for task in life.view.with_status(Status.APPLY_PENDING, Status.CONFIRMED)}
        under = [each for each in life.world.workspaces if each.pk in planned] if what == "upload_state" else []
        with life.harmed(fault):
            life.people.meddle(what, pick(under or life.world.workspaces, number), by)

    @rule(
        number=which,
        how=st.sampled_from(["well", "well", "well", "well", "unchanged", "failed", "killed", "stale"]),
        times=st.integers(1, 3),
        fault=faults,
    )
    def go_on(self, number: int, how: str, times: int, fault: Fault) -> None:
        """Agents take offers, and processes get further: they ask for the permit or end, with or without a link."""
        crew = self.life.crew
        with self.life.harmed(fault):
            for turn in range(times):
                crew.take_offers()
                if crew.runs():
                    agent, run = pick(crew.runs(), number + turn)
                    crew.advance(agent, run, how)

    @rule(rounds=st.integers(1, 3))
    def work(self, rounds: int) -> None:
        """Nothing special happens for a while."""
        for _ in range(rounds):
            for agent in self.life.crew.connected():
                self.life.crew.work_once(agent)

    @rule(
        what=st.sampled_from(["die", "die", "cut", "connect", "connect", "leave", "dawdle"]),
        number=which,
        noticed=st.booleans(),
        applying=st.booleans(),
        fault=faults,
    )
    def trouble(self, what: str, number: int, noticed: bool, applying: bool, fault: Fault) -> None:
        """An agent dies with all that it runs, loses its link, comes back, looks at its offers late, or leaves."""
        crew = self.life.crew
        agents = crew.gone() if what == "connect" else crew.busiest()
        if applying and agents and what != "connect":
            self._start_applies()
        agents = crew.gone() if what == "connect" else crew.busiest()
        if agents:
            agent = pick(agents, number)
            verbs = {"die": lambda: agent.die(noticed=noticed), "cut": lambda: agent.cut(noticed=noticed)}
            looks = {"connect": agent.connect, "leave": agent.leave, "dawdle": agent.look}
            with self.life.harmed(fault):
                {**verbs, **looks}[what]()

    def _start_applies(self) -> None:
        """Get into the middle of as many applies as there can be."""
        life = self.life
        life.crew.plan()
        life.look()
        for task in life.to_confirm():
            life.people.confirm(task.pk, task.plan_digest, by=0)
        life.crew.start_applies()

    @rule(
        what=st.sampled_from(["slow", "slow", "late", "late", "late twice", "again", "anew", "result again"]),
        number=which,
        fault=faults,
    )
    def frames(self, what: str, number: int, fault: Fault) -> None:
        """Words of an agent stay on the way, arrive in any order, on a socket of old, twice, or are said again."""
        agents = self.life.world.agents
        full = [agent for agent in agents if agent.mail] if "late" in what else []
        agent = pick(full or agents, number)
        with self.life.harmed(fault):
            if what == "slow":
                self.life.crew.work_unheard(agent)
            elif "late" in what:
                agent.deliver_late(number, twice=what == "late twice")
            elif what == "result again":
                agent.report_again(number)
            else:
                agent.say_again(number, anew=what == "anew")

    @rule(
        seconds=st.sampled_from([1, 6, 11, 31, 61, 61, 20000]),
        swept=st.booleans(),
        served=st.sampled_from([True, True, False]),
        fault=faults,
    )
    def wait(self, seconds: int, swept: bool, served: bool, fault: Fault) -> None:
        """Time passes, maybe without a sweep, maybe while our web processes are down; long time, while all of ours is."""
        life = self.life
        if seconds > 1000:
            life.world.be_away(seconds)
            return
        with life.harmed(fault):
            life.pass_time(seconds, swept=swept, served=served)

    @rule()
    def stall(self) -> None:
        """A worker stands still in the middle of a sweep, or ends."""
        self.life.world.stall(not self.life.world.is_stalled)

    @invariant()
    def every_promise_is_kept(self) -> None:
        """Checked after every step."""
        self.life.check()

    def teardown(self) -> None:
        """Repair everything; then nothing may be stuck."""
        self.life.end()
