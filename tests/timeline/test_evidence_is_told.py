"""What a lost agent brought late stands in the timeline where it arrived."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import timeline
from iacplatform.base import clock
from tasks import late_results
from tasks.results import Result
from tasks.states import Status
from tasks.timeline import Kind
from tests.recovery.cells import marked
from tests.tasks import factories
from tests.timeline.conftest import Told
from workspaces.models import KeptState

pytestmark = pytest.mark.django_db


def test_a_late_result_is_told(told: Told) -> None:
    task = marked()
    late = Result(outcome="applied", exit_code=0, seconds=3.0, log_bytes=0)
    late_results.keep(task.pk, task.epoch - 1, task.agent_id, late)
    (piece,) = told(task, Kind.EVIDENCE)
    assert "said late how it ended: applied" in piece.text
    assert timeline.of(task)[-1] == piece


def test_a_late_log_is_told_once_however_many_pieces_it_has(told: Told) -> None:
    task = factories.needing_attention()
    clock.shift(timedelta(seconds=5))
    factories.say(task, b"one", b"two")
    (piece,) = told(task, Kind.EVIDENCE)
    assert piece.text.startswith("6 bytes of its log came after it was given up")


def test_a_state_kept_aside_is_told(told: Told) -> None:
    task = factories.needing_attention()
    KeptState.objects.create(
        workspace=task.workspace,
        task_id=task.pk,
        epoch=task.epoch,
        serial=9,
        lineage="l",
        digest="0" * 64,
        size=3,
        sealed_content=b"",
        why="Too late.",
        created_by=f"task:{task.pk} apply 1",
    )
    (piece,) = told(task, Kind.EVIDENCE)
    assert "serial 9" in piece.text and "Too late." in piece.text


def test_a_log_in_time_is_no_evidence(told: Told) -> None:
    task = factories.applying()
    factories.say(task, b"one")
    task = factories.finish(task, "failed", exit_code=1)
    assert (task.status, told(task, Kind.EVIDENCE)) == (Status.FAILED, [])


def test_each_piece_is_read_once_for_the_whole_list() -> None:
    task = marked()
    late = Result(outcome="applied", exit_code=0, seconds=3.0, log_bytes=0)
    late_results.keep(task.pk, task.epoch - 1, task.agent_id, late)
    lost = {"workspace": task.workspace, "task_id": task.pk, "epoch": task.epoch - 1, "created_by": f"task:{task.pk}"}
    KeptState.objects.create(
        serial=9, lineage="l", digest="0" * 64, size=3, sealed_content=b"", why="Too late.", **lost
    )
    with CaptureQueriesContext(connection) as asked:
        kinds = [entry.kind for entry in timeline.of(task)]
    assert kinds.count(Kind.EVIDENCE) == 2
    reads = [query["sql"] for query in asked if " UNION " not in query["sql"]]
    for table in ("tasks_lateresult", "workspaces_keptstate"):
        assert len([sql for sql in reads if f'FROM "{table}"' in sql]) == 1
