"""One schedule: a world brought back, what happens in it, what is checked after each step, and how it comes to rest."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tasks.states import LIVE, Status
from tests.simulation import clockwork, promises
from tests.simulation.alarm import ALARM
from tests.simulation.crew import Crew
from tests.simulation.history import History
from tests.simulation.people import People
from tests.simulation.processes import Fault
from tests.simulation.snapshot import Snapshot
from tests.simulation.view import TaskRow, View
from tests.simulation.world import World

REST_SECONDS = 90
REST_SLICE_SECONDS = 10
MOST_TASKS = 12


class Life:
    """`made`: the world in which each schedule begins."""

    made: Snapshot[World] | None = None

    def __init__(self) -> None:
        assert self.made is not None
        ALARM.heard.clear()
        self.world = self.made.restore()
        clockwork.show(self.world.ledger.now)
        self.world.processes.meanwhile = self.world.meanwhile()
        self.people, self.crew = People(self.world), Crew(self.world)
        self.history = History()
        self.was_swept = False
        self.look()

    @contextmanager
    def lived(self) -> Iterator[None]:
        """Let everything inside hear hints; leave no worker behind that stands still."""
        with self.world.alive():
            try:
                yield
            finally:
                self.world.stall(False)

    @contextmanager
    def harmed(self, fault: Fault) -> Iterator[None]:
        """Let this happen to one of our processes that work inside."""
        self.world.hints_lost |= bool(fault.kind)
        with self.world.processes.harmed(fault):
            yield

    def look(self) -> None:
        """See what was done; note what was confirmed by itself."""
        self.view = View.since(self.history.newest)
        self.history.take(self.view, self.world.ledger)

    def check(self) -> None:
        """Fail where a promise is broken."""
        self.look()
        ALARM.check()
        promises.check(self.view, self.world.ledger)
        if self.was_swept:
            promises.check_after_sweep(self.view, self.world.ledger)
        self.was_swept = False

    def pass_time(self, seconds: int, *, swept: bool, served: bool = True) -> None:
        """Let time pass."""
        was_harmed = bool(self.world.processes.fault.kind)
        self.was_swept = self.world.pass_time(seconds, swept=swept, served=served) and not was_harmed

    def come_to_rest(self) -> None:
        """Let everything come back and work while time passes, until nothing waits but for a person."""
        self.world.stall(False)
        self.crew.come_back()
        for _ in range(REST_SECONDS // REST_SLICE_SECONDS):
            self.pass_time(REST_SLICE_SECONDS, swept=True)
            self.crew.work_off()
            self.crew.follow_those_who_left()
            self.check()
            if not self.restless() and not self._release_locks():
                return
        pytest.fail(f"{REST_SECONDS} s after the last fault these are stuck: {self.restless()}")

    def restless(self) -> list[str]:
        """Return the tasks that wait for anything but a person, with why."""
        return promises.restless(self.view, set(self.view.locks))

    def _release_locks(self) -> bool:
        """Let a person let go of state locks whose runs are dead; return whether there were any in the way."""
        waiting = [task for task in self.view.tasks if task.reason_code == "state_locked"]
        freed = [task for task in waiting if self.view.locks[task.workspace_id].task_id is not None]
        for task in freed:
            assert self.people.press("release_lock", task.pk, by=0), f"nobody can free task {task.pk}: {task.message}"
        return bool(freed)

    # What somebody looks for on the pages ----------------------------------------------------------------------------

    def live(self) -> list[TaskRow]:
        """Return the tasks that are not final."""
        return self.view.with_status(*LIVE)

    def to_confirm(self) -> list[TaskRow]:
        """Return the tasks that await confirmation."""
        return self.view.with_status(Status.APPLY_PENDING)

    def buttons(self) -> list[tuple[str, int]]:
        """Return what people are waited for to press, each with its task."""
        stale = [task for task in self.to_confirm() if task.reason_code == "plan_stale"]
        lost = self.view.with_status(Status.NEEDS_ATTENTION)
        locked = [task for task in self.live() if task.reason_code == "state_locked"]
        wanted = {"retry": lost + stale, "mark_failed": lost, "discard": stale, "release_lock": locked}
        return [(button, task.pk) for button, tasks in wanted.items() for task in tasks]

    def read_and_planned_again(self) -> list[int]:
        """Return the tasks that show another plan now than the one that somebody read."""
        mind = self.people.mind
        return [task.pk for task in self.to_confirm() if mind.get(task.pk, task.plan_digest) != task.plan_digest]
