"""Each promise that is broken is found in the evidence: made up here, one fault at a time."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.models import Attempt, Task, TaskEvent
from tests.chaos import faults, ledger, verdict
from tests.chaos.answers import Answers
from tests.chaos.rest import restless
from tests.chaos.rows import Rows, View
from tests.chaos.verdict import Evidence
from workspaces.models import Workspace

DIGEST = "a" * 64


class Stored(Rows):
    """What the database would answer of logs and states."""

    def log(self, attempt: int) -> tuple[bytes, list[tuple[int, int]]]:
        return b"~apply 1 x\n", [(0, 11)]

    def states(self) -> dict[str, list[dict[str, Any]]]:
        return {"ws-1": [{"serial": serial, "lineage": "one"} for serial in (1, 2)]}


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """A task that was made, confirmed and applied, as it should be."""
    task = Task(id=1, workspace_id="ws-1", status="applied", task_type="plan_and_apply", plan_digest=DIGEST)
    attempt = Attempt(id=5, task_id=1, epoch=2, phase="apply", number=1, exit_code=0, log_stored=11, log_bytes=11)
    moves = [("created", "", "apply_pending"), ("confirm", "apply_pending", "confirmed")]
    moves += [("accepted", "confirmed", "running"), ("applied", "running", "applied")]
    events = [TaskEvent(task_id=1, event=event, before=before, after=after) for event, before, after in moves]
    workspaces = {"ws-1": Workspace(workspace_id="ws-1")}
    view = View(tasks=[task], attempts=[attempt], events=events, workspaces=workspaces, orphaned=set())
    answers = Answers()
    answers.confirming(1, DIGEST)
    answers.promised("confirm-apply", 1, DIGEST)
    book = str(tmp_path / "ledger")
    ledger.append(book, {"kind": "started", "task": 1, "digest": DIGEST})
    ledger.append(book, {"kind": "stored", "task": 1, "workspace": "ws-1", "serial": 2, "lineage": "one"})
    ledger.append(book, {"kind": "applied", "task": 1, "digest": DIGEST})
    (tmp_path / "5-apply").write_text("~apply 1 x\n")
    return Evidence(view=view, rows=Stored(tmp_path), answers=answers, ledger=book, copies=tmp_path)


def test_kept_promises_are_no_fault(evidence: Evidence) -> None:
    assert verdict.faults(evidence) == []


def test_an_apply_that_starts_twice_is_found(evidence: Evidence) -> None:
    ledger.append(evidence.ledger, {"kind": "started", "task": 1, "digest": DIGEST})
    assert "was started 2 times" in verdict.faults(evidence)[0]


def test_an_apply_that_nobody_confirmed_is_found(evidence: Evidence) -> None:
    evidence.answers.sent.clear()
    assert "nobody ever confirmed it" in verdict.faults(evidence)[0]


def test_an_apply_that_nothing_did_is_found(evidence: Evidence) -> None:
    Path(evidence.ledger).unlink()
    assert "no apply was started" in verdict.faults(evidence)[0]


def test_an_apply_that_did_not_end_is_found(evidence: Evidence) -> None:
    kept = [line for line in ledger.lines(evidence.ledger) if line["kind"] != "applied"]
    Path(evidence.ledger).unlink()
    for line in kept:
        ledger.append(evidence.ledger, line)
    assert "has not come to its end" in verdict.faults(evidence)[0]


def test_a_forgotten_confirmation_is_found(evidence: Evidence) -> None:
    evidence.answers.promised("discard", 1)
    assert verdict.faults(evidence) == ["task 1: discard was answered with success, and forgotten"]


def test_a_task_that_is_gone_is_found(evidence: Evidence) -> None:
    evidence.answers.promised("created", 2)
    assert verdict.faults(evidence) == ["task 2 was promised (created), and is not there"]


def test_a_move_that_no_table_has_is_found(evidence: Evidence) -> None:
    evidence.view.events[2].event = "discard"
    assert "its history says" in verdict.faults(evidence)[0]


def test_a_log_that_lost_bytes_is_found(evidence: Evidence) -> None:
    evidence.view.attempts[0].log_bytes = 12
    assert "11 are stored" in verdict.faults(evidence)[0]


def test_a_log_that_is_not_the_engines_is_found(evidence: Evidence) -> None:
    (evidence.copies / "5-apply").write_text("~apply 1 y\n")
    assert "is not what its engine wrote" in verdict.faults(evidence)[0]


def test_a_log_without_its_end_is_found_where_the_engine_ended_by_itself(evidence: Evidence) -> None:
    (evidence.copies / "5-apply").write_text("~apply 1 x\n~apply 2\n")
    assert "words are missing" in verdict.faults(evidence)[0]
    evidence.view.attempts[0].exit_code = -9
    assert verdict.faults(evidence) == []


def test_a_state_that_was_taken_and_lost_is_found(evidence: Evidence) -> None:
    ledger.append(evidence.ledger, {"kind": "stored", "task": 1, "workspace": "ws-1", "serial": 3, "lineage": "one"})
    assert "state 3 was taken, and is not there" in verdict.faults(evidence)[0]


def test_a_server_error_is_found_and_an_outage_is_none(evidence: Evidence) -> None:
    evidence.answers.note("GET /tasks", 503)
    assert verdict.faults(evidence) == []
    evidence.answers.note("GET /tasks", 500, "Oops")
    assert verdict.faults(evidence) == ["GET /tasks was answered 500: Oops"]


def test_what_waits_for_nobody_is_restless(evidence: Evidence) -> None:
    pending = Task(id=2, workspace_id="ws-1", status="pending", task_type="plan", reason_code="no_free_slot")
    behind = Task(id=3, workspace_id="ws-1", status="waiting", task_type="destroy", reason_code="queued_behind")
    assert len(restless(replace(evidence.view, tasks=[pending, behind]))) == 2
    head = Task(id=2, workspace_id="ws-1", status="apply_pending", task_type="destroy")
    assert restless(replace(evidence.view, tasks=[head, behind])) == []


def test_the_same_seed_is_the_same_plan_of_faults() -> None:
    assert faults.planned(7, 3) == faults.planned(7, 3) != faults.planned(8, 3)
    assert all(fault.at + fault.seconds <= 180 for fault in faults.planned(7, 3))
