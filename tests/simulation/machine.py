"""Random schedules of people, agents, time and faults over the real domain code, on a real database.

Each step is one thing that somebody does. With `news` lost, nobody hears of what the step committed, as if the process
had died right after the commit. After each step every promise is checked; at the end of a schedule everything that was
broken is repaired, and what does not come to rest within 90 seconds of the platform's own time is stuck.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tasks.states import Status, TaskType
from tests.simulation.life import MOST_TASKS, Life, pick

which = st.integers(0, 11)
anyone = st.integers(0, 1)
lost = st.sampled_from([False, False, False, True])


class Platform(RuleBasedStateMachine):
    """Few rules with many ways each, since schedules in which half of the rules are left out seldom get far."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()

    @rule(number=which, task_type=st.sampled_from(TaskType), by=anyone, news=lost)
    def create(self, number: int, task_type: TaskType, by: int, news: bool) -> None:
        """A person makes a task."""
        if len(self.life.view.tasks) < MOST_TASKS:
            self.life.create(number, task_type, by, news)

    @rule(what=st.sampled_from(["shown", "shown", "twice", "read", "as read"]), number=which, by=anyone, news=lost)
    def confirm(self, what: str, number: int, by: int, news: bool) -> None:
        """A person confirms the plan that is shown, by a double click too, or one that they have read long ago."""
        life = self.life
        if not life.to_confirm():
            life.work_off()
        outdated = life.read_and_planned_again()
        if outdated or (what == "as read" and life.mind):
            task_id = pick(outdated or sorted(life.mind), number)
            life.confirm(task_id, life.mind.pop(task_id), by, news)
        elif life.to_confirm():
            task = pick(life.to_confirm(), number)
            life.mind[task.pk] = task.plan_digest
            for _ in range({"shown": 1, "twice": 2}.get(what, 0)):
                life.confirm(task.pk, "", by, news)

    @rule(
        button=st.sampled_from(["discard", "cancel", "cancel", "force_cancel", "retry", "mark_failed"]),
        number=which,
        anywhere=st.booleans(),
        by=anyone,
        news=lost,
    )
    def press(self, button: str, number: int, anywhere: bool, by: int, news: bool) -> None:
        """A person presses another button: on any task, or on one where it may do something."""
        life = self.life
        helped = life.waiting_for(button)
        tasks = life.view.tasks if anywhere else helped or life.live()
        if tasks:
            life.press(button, pick(tasks, number), by, news)

    @rule(
        what=st.sampled_from(["lock", "unlock", "unlock", "upload_state", "upload_state", "local", "side", "nowhere"]),
        number=which,
        by=anyone,
        news=lost,
    )
    def meddle(self, what: str, number: int, by: int, news: bool) -> None:
        """A person does something to a workspace: its lock, its state (under a plan), or where its tasks run."""
        planned = [task.workspace for task in self.life.view.with_status(Status.APPLY_PENDING, Status.CONFIRMED)]
        under = planned if what == "upload_state" else []
        self.life.meddle(what, pick(under or self.life.world.workspaces, number), by, news)

    @rule(
        number=which,
        how=st.sampled_from(["well", "well", "well", "well", "unchanged", "failed", "killed", "stale"]),
        times=st.integers(1, 3),
        news=lost,
    )
    def go_on(self, number: int, how: str, times: int, news: bool) -> None:
        """Agents take offers, and processes get further: they ask for the permit or end, with or without a link."""
        life = self.life
        for turn in range(times):
            life.take_offers(news)
            if life.runs():
                with life.losing(news):
                    life.advance(*pick(life.runs(), number + turn), how)
                life.note_auto_apply()

    @rule(rounds=st.integers(1, 3))
    def work(self, rounds: int) -> None:
        """Nothing special happens for a while."""
        for _ in range(rounds):
            for agent in self.life.connected():
                self.life.work_once(agent)

    @rule(
        what=st.sampled_from(
            ["die", "die", "cut", "connect", "connect", "repeat", "late", "leave", "dawdle", "dawdle"]
        ),
        number=which,
        noticed=st.booleans(),
        applying=st.booleans(),
    )
    def trouble(self, what: str, number: int, noticed: bool, applying: bool) -> None:
        """An agent dies with all that it runs, loses its link, comes back, repeats itself, dawdles, or leaves."""
        gone = [agent for agent in self.life.world.agents if agent.session is None]
        if what == "connect" and gone:
            pick(gone, number).connect()
            return
        if not self.life.connected():
            return
        if applying:
            self.life.start_applies()
        agent = pick(self.life.busiest(), number)
        if what in {"die", "cut"}:
            (agent.die if what == "die" else agent.cut)(noticed=noticed)
        elif what == "leave":
            agent.leave()
        elif what == "repeat":
            agent.say_again(number)
        elif what == "dawdle":
            agent.listen(self.life.world.woken)
        elif what == "late":
            agent.report_again(number)

    @rule(seconds=st.sampled_from([1, 6, 11, 31, 61]), swept=st.booleans(), served=st.sampled_from([True, True, False]))
    def wait(self, seconds: int, swept: bool, served: bool) -> None:
        """Time passes, maybe without a sweep, maybe while our own web processes are down."""
        self.life.world.pass_time(seconds, swept=swept, served=served)

    @invariant()
    def every_promise_is_kept(self) -> None:
        """Checked after every step."""
        self.life.check()

    def teardown(self) -> None:
        """Repair everything; then nothing may be stuck."""
        self.life.end()
