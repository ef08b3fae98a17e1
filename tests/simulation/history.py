"""What the platform has said so far, against which each of its next words is held."""

from tasks import states
from tasks.states import MOVES, Event, Status
from tests.simulation import confirmations
from tests.simulation.ledger import Ledger
from tests.simulation.view import EventRow, LockRow, View

ARROWS = {
    (states.Status(at.value) if at.value in Status.values else Status.RUNNING, event, to)
    for (at, event), goals in MOVES.items()
    for to in goals
}
"""The table with the two kinds of running taken together, as events show them."""

NOTES = set(Event) - {event for _, event in MOVES} - {Event.CREATED}
"""Events that move nothing."""

SILENT = "was not heard of for"
"""How the platform words that it gave an agent up."""

SUMS_UP = "broke off: "
"""Before the causes of all attempts, the newest one last."""

BY_PEOPLE = {Event.LOCK_RELEASED, Event.MARK_FAILED}
"""After these a state lock may be gone whose holder did not ask for it."""


class History:
    """Grows with each view."""

    def __init__(self) -> None:
        self.newest = 0
        self.stand: dict[int, str] = {}
        self.epochs: dict[int, int] = {}
        self.locks: dict[str, LockRow] = {}
        self.versions: dict[tuple[str, int], tuple[str, str]] = {}

    def take(self, view: View, ledger: Ledger) -> None:
        """Hold the view against what was before. Fails where the two do not fit."""
        for news in view.news:
            if news.event == Event.AUTO_APPLY:
                confirmations.note(ledger, news.pk, news.task_id)
            self._move(news, ledger)
        ledger.lost.clear()
        assert self.stand == {task.pk: task.status for task in view.tasks}, (
            "a task stands where its history does not end"
        )
        self._grow(view)
        self._keep_versions(view, ledger)
        self._keep_locks(view, ledger)

    def _move(self, news: EventRow, ledger: Ledger) -> None:
        self.newest, before = news.pk, self.stand.get(news.task_id, "")
        assert news.before == before, f"task {news.task_id} was {before}, its history says {news.before}"
        fits = news.before == news.after if news.event in NOTES else (before, news.event, news.after) in ARROWS
        assert fits or not before, f"task {news.task_id}: {news}"
        assert news.actor, f"nobody did this to task {news.task_id}: {news}"
        self.stand[news.task_id] = news.after
        cause = news.reason.rsplit(". ", 1)[-1] if SUMS_UP in news.reason else news.reason
        if SILENT in cause:
            name = cause.split("Agent ")[1].split(" ")[0]
            assert name in ledger.lost, f"agent {name} was given up, and was heard or could not be heard"

    def _grow(self, view: View) -> None:
        for task in view.tasks:
            known = self.epochs.get(task.pk, 0)
            assert task.epoch >= known, f"task {task.pk} went back from epoch {known} to {task.epoch}"
            self.epochs[task.pk] = task.epoch

    def _keep_versions(self, view: View, ledger: Ledger) -> None:
        found = {(row.workspace_id, row.serial): (row.lineage, row.digest) for row in view.versions}
        gone = [key for key, what in self.versions.items() if found.get(key) != what]
        assert not gone, f"versions of a state are gone or changed: {gone}"
        last: dict[str, int] = {}
        for row in view.versions:
            assert row.serial > last.get(row.workspace_id, -1), f"the serial of a state does not rise: {row}"
            last[row.workspace_id] = row.serial
        lost = [key for key, digest in ledger.stored.items() if found[key][1] != digest]
        assert not lost, f"states that were said to be stored hold something else: {lost}"
        self.versions = found

    def _keep_locks(self, view: View, ledger: Ledger) -> None:
        ended = {(attempt.task_id, attempt.epoch) for attempt in view.attempts if attempt.has_ended}
        freed = _freed_by_people(view)
        for workspace_id, held in self.locks.items():
            let_go = held.lock_id in ledger.let_go or (held.task_id, held.epoch) in ended
            is_same = view.locks.get(workspace_id, held).lock_id == held.lock_id and workspace_id in view.locks
            assert is_same or let_go or workspace_id in freed, f"nobody let go of state lock {held.lock_id}"
        for held in view.locks.values():
            dead_plan = held.phase == "plan" and (held.task_id, held.epoch) in ended
            assert not dead_plan, f"the plan of task {held.task_id} is over and holds the state"
        self.locks = view.locks


def _freed_by_people(view: View) -> set[str]:
    """Return the workspaces whose state lock a person may have released just now, through any task that it held up."""
    pressed = {news.task_id for news in view.news if news.event in BY_PEOPLE}
    return {task.workspace_id for task in view.tasks if task.pk in pressed}
