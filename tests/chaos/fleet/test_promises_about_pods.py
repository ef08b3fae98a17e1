"""Each promise about pods that is broken is found in what rows and cluster say: made up here, one fault at a time."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pools.models import Pod, ScalingDecision
from tests.chaos.fleet import faults
from tests.chaos.fleet.promises import broken_now, miscounted, restless, touched
from tests.chaos.fleet.sights import Sights
from tests.chaos.fleet.stage import MOST
from tests.chaos.fleet.witness import Witness
from tests.chaos.rows import Rows
from tests.cluster.traffic import Request

DELETION = Request("DELETE", "/api/v1/namespaces/tests/pods/iac-1")


def row(number: int, **columns: Any) -> Pod:
    facts = {"phase": "running", "slots": 2, **columns}
    return Pod(id=number, name=f"iac-{number}", uid=f"uid-{number}", **facts)


def pod(number: int, uid: str = "") -> dict[str, Any]:
    return {"metadata": {"name": f"iac-{number}", "uid": uid or f"uid-{number}"}}


@pytest.fixture
def sights() -> Sights:
    """A pool of one pod whose agent is connected and has nothing to do, as it should be at rest."""
    gone = row(2, phase="gone")
    left: dict[str, Any] = {"busy": {}, "tokens": [], "condition": ""}
    return Sights(rows=[row(1), gone], there=[pod(1)], gone={"uid-2"}, connected={"iac-1"}, **left)


def broken(sights: Sights, *secrets: str) -> list[str]:
    return [*broken_now(sights), *restless(sights, ["iac-1", *secrets])]


def test_a_pool_that_is_as_it_should_be_is_no_fault(sights: Sights) -> None:
    assert broken(sights) == []


def test_more_pods_than_the_pool_may_have_are_found(sights: Sights) -> None:
    many = replace(sights, rows=[row(number) for number in range(MOST + 1)])
    assert "the pool may have" in next(broken_now(many))
    leaving = replace(sights, rows=[row(number, phase="draining") for number in range(MOST + 1)], there=[])
    assert [*broken_now(leaving)] == []


def test_more_leases_than_slots_are_found(sights: Sights) -> None:
    assert [*broken_now(replace(sights, busy={"iac-1": 2}))] == []
    assert "which has 2 slots" in next(broken_now(replace(sights, busy={"iac-1": 3})))


def test_a_pod_without_a_row_is_found(sights: Sights) -> None:
    assert "no row is of it" in next(broken_now(replace(sights, there=[pod(1), pod(3)])))
    assert "no row is of it" in next(broken_now(replace(sights, there=[pod(1, uid="another")])))


def test_a_pod_that_is_there_and_gone_for_the_platform_is_found(sights: Sights) -> None:
    assert "its row says that it is gone" in next(broken_now(replace(sights, there=[pod(1), pod(2)])))


def test_a_pool_that_does_not_become_small_is_found(sights: Sights) -> None:
    two = replace(sights, rows=[row(1), row(3)], there=[pod(1), pod(3)], connected={"iac-1", "iac-3"})
    assert broken(two) == ["the pool has 2 pods, where 1 are wanted: ['iac-1', 'iac-3']"]
    assert broken(replace(two, busy={"iac-1": 1, "iac-3": 1})) == []


def test_rows_and_cluster_that_differ_are_found(sights: Sights) -> None:
    assert "the cluster has {}" in broken(replace(sights, there=[]))[0]
    assert broken(replace(sights, there=None)) == ["the cluster does not answer"]


def test_a_pod_that_serves_nobody_is_found(sights: Sights) -> None:
    assert "its agent is not connected" in broken(replace(sights, connected=set()))[0]
    assert "iac-1 is deleting" in broken(replace(sights, rows=[row(1, phase="deleting")]))[0]


def test_what_is_left_of_pods_is_found(sights: Sights) -> None:
    assert broken(sights, "iac-2") == ["the Secret iac-2 is left of a pod"]
    assert broken(replace(sights, tokens=["iac-2"])) == ["the token of pod iac-2 is left"]
    assert broken(replace(sights, busy={"iac-2": 1})) == ["a lease is held on pod iac-2, which is gone"]
    assert broken(replace(sights, condition="pod_failed Oops")) == ["the pool says: pod_failed Oops"]


def test_a_deletion_of_a_pod_that_holds_a_lease_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[dict[str, Any]] = []
    monkeypatch.setattr(Rows, "all", lambda *_: held)
    witness = Witness(Path())
    witness(DELETION)
    assert (witness.deleted, witness.broken) == (["iac-1"], [])
    held.append({"id": 7, "lease": "reserved"})
    witness(Request("GET", DELETION.path))
    assert witness.broken == []
    witness(DELETION)
    assert "pod iac-1 is deleted by us, and holds a lease" in witness.broken[0]


def test_a_deletion_while_the_database_is_away_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise psycopg.OperationalError

    monkeypatch.setattr(Rows, "all", away)
    witness = Witness(Path())
    witness(DELETION)
    assert (witness.unjudged, witness.broken) == (1, [])


def test_whoever_touches_pods_of_others_is_found() -> None:
    theirs, there = {"iac-1": "uid-1"}, [pod(1)]
    assert [*touched(theirs, there, [Request("GET", DELETION.path)])] == []
    assert "that pod is somebody else's" in next(touched(theirs, there, [DELETION]))
    assert "is now gone" in next(touched(theirs, [], []))
    assert "is now" in next(touched(theirs, [pod(1, uid="another")], []))


def test_a_decision_that_does_not_add_up_is_found() -> None:
    facts = {"pinned": 1, "free": 1, "queued": 4, "live": 1}
    assert [*miscounted([ScalingDecision(**facts, wanted=3, desired=3)])] == []
    assert [*miscounted([ScalingDecision(**facts, wanted=4, desired=3)])]
    assert [*miscounted([ScalingDecision(**facts, wanted=3, desired=2)])]


def test_the_same_seed_is_the_same_plan_of_faults_of_pods() -> None:
    assert faults.planned(7, 3) == faults.planned(7, 3) != faults.planned(8, 3)
    assert all(fault.at + fault.seconds <= 180 for fault in faults.planned(7, 3))
