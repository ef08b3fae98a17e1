"""What must be true when all has come to rest, each broken promise as a sentence (design section 13)."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.models import Attempt, Task, TaskEvent
from tasks.states import FINAL, MOVES, Status
from tests.chaos import ledger
from tests.chaos.answers import CREATED, Answers
from tests.chaos.engine import MARK
from tests.chaos.rows import Rows, View

KEPT = {"confirm-apply": "confirm", "discard": "discard", "cancel": "cancel", "mark-failed": "mark_failed"}
"""Verbs that leave an event of this name in the task's history."""


ARROWS = {
    (at.value if at.value in Status.values else Status.RUNNING, event, to)
    for (at, event), goals in MOVES.items()
    for to in goals
}
"""The table of moves with the two kinds of running taken together, as events show them."""

MOVING = {event.value for _, event in MOVES}
"""Other events are notes in the history; they leave the status as it is."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """`ledger`: its file; `copies`: folder of what the fake engines wrote."""

    view: View
    rows: Rows
    answers: Answers
    ledger: str
    copies: Path

    def events(self, task: int) -> list[str]:
        """Return the names of what happened to a task."""
        return [event.event for event in self.view.events if event.task_id == task]


def faults(evidence: Evidence) -> list[str]:
    """Return every promise that was broken."""
    checks: list[Callable[[Evidence], Iterable[str]]] = [
        _applies,
        _applied_once,
        _history,
        _promises,
        _pieces_of_logs,
        _words_of_logs,
        _states,
        _answers,
    ]
    return [fault for check in checks for fault in check(evidence)]


def _applies(evidence: Evidence) -> Iterator[str]:
    """An apply was started for a plan that somebody confirmed, once."""
    started = ledger.of_kind(evidence.ledger, "started")
    for (task, digest), count in Counter((line["task"], line.get("digest", "")) for line in started).items():
        events = evidence.events(task)
        confirmations = events.count("confirm") + events.count("auto_apply")
        if digest and count > 1:
            yield f"task {task}: the apply of {digest[:8]} was started {count} times"
        if digest and "auto_apply" not in events and digest not in evidence.answers.sent.get(task, set()):
            yield f"task {task}: {digest[:8]} was applied, and nobody ever confirmed it"
        if count > confirmations:
            yield f"task {task}: {count} applies for {confirmations} confirmations"


def _applied_once(evidence: Evidence) -> Iterator[str]:
    started = Counter(line["task"] for line in ledger.of_kind(evidence.ledger, "started"))
    ended = {(line["task"], line["digest"]) for line in ledger.of_kind(evidence.ledger, "applied")}
    for task in evidence.view.tasks:
        if task.status != Status.APPLIED:
            continue
        is_fake = any(line["task"] == task.pk and line.get("digest") for line in ledger.lines(evidence.ledger))
        if started[task.pk] == 0:
            yield f"task {task.pk} says applied, and no apply was started"
        if is_fake and (task.pk, task.plan_digest) not in ended:
            yield f"task {task.pk} says applied, and the apply of its plan has not come to its end"


def _history(evidence: Evidence) -> Iterator[str]:
    stand: dict[int, str] = {}
    for news in evidence.view.events:
        before = stand.get(news.task_id, "")
        if news.before != before or not (before == "" or _is_lawful(news)):
            yield f"task {news.task_id} was {before!r}; its history says {news}"
        stand[news.task_id] = news.after
    yield from (
        f"task {task.pk} is {task.status}, where its history does not end"
        for task in evidence.view.tasks
        if stand.get(task.pk) != task.status
    )


def _is_lawful(news: TaskEvent) -> bool:
    if news.event not in MOVING:
        return news.before == news.after
    return (news.before, news.event, news.after) in ARROWS


def _promises(evidence: Evidence) -> Iterator[str]:
    """What was answered with success is never forgotten."""
    tasks = {task.pk for task in evidence.view.tasks}
    for promise in evidence.answers.promises:
        if promise.task not in tasks:
            yield f"task {promise.task} was promised ({promise.verb}), and is not there"
        elif promise.verb != CREATED and not _is_kept(promise.verb, evidence.events(promise.task)):
            yield f"task {promise.task}: {promise.verb} was answered with success, and forgotten"


def _is_kept(verb: str, events: list[str]) -> bool:
    return verb not in KEPT or KEPT[verb] in events


def _pieces_of_logs(evidence: Evidence) -> Iterator[str]:
    for attempt in evidence.view.attempts:
        log, pieces = evidence.rows.log(attempt.pk)
        expected = 0
        for offset, length in pieces:
            if offset != expected:
                yield f"{attempt}: its log goes on at byte {offset}, not at {expected}"
            expected = offset + length
        if len(log) != attempt.log_stored:
            yield f"{attempt}: {len(log)} bytes of log are there, {attempt.log_stored} are said to be"
        if attempt.log_bytes is not None and attempt.log_stored != attempt.log_bytes:
            yield f"{attempt} has ended with {attempt.log_bytes} bytes of log, {attempt.log_stored} are stored"


def _words_of_logs(evidence: Evidence) -> Iterator[str]:
    """The engine's own lines are in the log as it wrote them: all of them where it ended by itself."""
    for attempt in evidence.view.attempts:
        copy = evidence.copies / f"{attempt.pk}-{attempt.phase}"
        written = copy.read_bytes() if copy.exists() else b""
        log, _ = evidence.rows.log(attempt.pk)
        stored = b"".join(line for line in log.splitlines(keepends=True) if line.startswith(MARK.encode()))
        if not written.startswith(stored):
            yield f"{attempt}: its log is not what its engine wrote"
        elif stored != written and _ended_by_itself(attempt):
            yield f"{attempt} ({attempt.outcome}): {len(written) - len(stored)} bytes of its engine's words are missing"


def _ended_by_itself(attempt: Attempt) -> bool:
    return attempt.exit_code is not None and attempt.exit_code >= 0


def _states(evidence: Evidence) -> Iterator[str]:
    states = evidence.rows.states()
    for workspace, versions in states.items():
        serials = [row["serial"] for row in versions]
        if serials != list(range(serials[0], serials[0] + len(serials))):
            yield f"workspace {workspace} has the states {serials}"
        if len({row["lineage"] for row in versions}) > 1:
            yield f"workspace {workspace} has states of several lineages"
    known = {(name, row["serial"], row["lineage"]) for name, rows in states.items() for row in rows}
    for line in ledger.of_kind(evidence.ledger, "stored"):
        if (line["workspace"], line["serial"], line["lineage"]) not in known:
            yield f"task {line['task']}: state {line['serial']} was taken, and is not there"


def _answers(evidence: Evidence) -> Iterator[str]:
    yield from (f"{fault.what} was answered {fault.status}: {fault.text}" for fault in evidence.answers.faults())


def by_end(tasks: Iterable[Task]) -> dict[str, int]:
    """Return how many tasks ended how, or wait for whom."""
    count: dict[str, int] = defaultdict(int)
    for task in tasks:
        count[task.status if task.status in FINAL else f"{task.status} ({task.reason_code})"] += 1
    return dict(sorted(count.items()))
