"""A list of pods is whole, or it is an error: nothing is ever decided on a part of it."""

from collections.abc import Callable
from typing import Any

import pytest

from pools import calls, kube, pod_specs
from pools.kube import Cluster as Door
from pools.models import ClusterStatus, Pod
from tests.cluster.api import Object
from tests.cluster.cluster import Cluster
from tests.cluster.faults import Answer, CutOff, Fault, Hang, Reset, Rewrite
from tests.pools.answers import json_answer

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

PODS = 5
LATER_PAGE = "continue="


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PAGE", 2)
    monkeypatch.setattr("pools.wire.READ_SECONDS", 0.5)


@pytest.fixture
def names(cluster: Cluster, row: Pod) -> list[str]:
    """Make five pods; return their names."""
    made = []
    for number in range(PODS):
        manifest = pod_specs.pod(row)
        manifest["metadata"]["name"] = f"iac-red-{number}"
        cluster.create("pods", manifest)
        made.append(f"iac-red-{number}")
    cluster.proxy.forget()
    return made


def listed(door: Door) -> list[str]:
    return [pod.name for pod in door.pods()]


def test_all_pages_are_read(cluster: Cluster, door: Door, names: list[str]) -> None:
    assert listed(door) == names
    assert cluster.proxy.count("list", "pods") == 3


def test_a_list_that_grew_too_old_is_begun_anew_once(cluster: Cluster, door: Door, names: list[str]) -> None:
    rule = cluster.proxy.fault(Answer(410), path=LATER_PAGE)
    assert listed(door) == names
    assert rule.hits == 1 and cluster.proxy.count("list", "pods") == 2 + 3


def test_and_is_an_error_the_second_time(cluster: Cluster, door: Door, names: list[str]) -> None:
    rule = cluster.proxy.fault(Answer(410), path=LATER_PAGE, times=None)
    with pytest.raises(kube.Unreachable, match="too old") as raised:
        door.pods()
    assert raised.value.status == 410 and rule.hits == 2


@pytest.mark.parametrize(
    "fault",
    [
        (Answer(500), kube.Unreachable),
        (Answer(403), kube.Denied),
        (Answer(429, retry_after=1), kube.Throttled),
        (CutOff(0.5), kube.Unreachable),
        (CutOff(0.99), kube.Unreachable),
        (Reset(), kube.Unreachable),
        (Hang(), kube.Unreachable),
    ],
)
def test_a_page_that_fails_fails_the_list(
    cluster: Cluster, door: Door, names: list[str], fault: tuple[Fault, type[kube.ClusterError]]
) -> None:
    happens, error = fault
    for page in (1, 2, 3):
        ClusterStatus.objects.all().delete()
        rule = cluster.proxy.fault(happens, path="/pods", nth=page)
        with pytest.raises(error):
            door.pods()
        assert rule.hits == 1, page
        cluster.proxy.heal()


def of_status(page: Object) -> Object:
    return {"kind": "Status", "status": "Success"}


def without(name: str) -> Callable[[Object], Object]:
    return lambda page: {key: value for key, value in page.items() if key != name}


def with_item(item: Any) -> Callable[[Object], Object]:
    return lambda page: {**page, "items": [*page["items"], item]}


def first_item(change: dict[str, Any]) -> Callable[[Object], Object]:
    def changed(page: Object) -> Object:
        first, *others = page["items"]
        return {**page, "items": [{**first, "metadata": {**first["metadata"], **change}}, *others]}

    return changed


def more_to_come(page: Object) -> Object:
    return {**page, "metadata": {"remainingItemCount": 3}}


NO_LISTS: dict[str, Callable[[Object], Object]] = {
    "a status": of_status,
    "without items": without("items"),
    "without metadata": without("metadata"),
    "without a kind": without("kind"),
    "with more to come, and no way there": more_to_come,
    "with nothing in it": with_item(None),
    "with a text": with_item("iac-red-9"),
    "with an empty object": with_item({}),
    "with a pod without UID": with_item({"metadata": {"name": "iac-red-9"}}),
    "with an empty UID": first_item({"uid": ""}),
    "with a number as UID": first_item({"uid": 5}),
    "without a name": first_item({"name": None}),
    "with a time that is none": first_item({"creationTimestamp": "yesterday"}),
    "with labels that are none": first_item({"labels": ["x"]}),
}


def test_what_is_no_list_of_pods_is_an_error(cluster: Cluster, door: Door, names: list[str]) -> None:
    for name, change in NO_LISTS.items():
        ClusterStatus.objects.all().delete()
        rule = cluster.proxy.fault(Rewrite(change), path="/pods", nth=2)
        with pytest.raises(kube.Unreachable):
            pytest.fail(f"{name}: {door.pods()}")
        assert rule.hits == 1, name
        cluster.proxy.heal()


def test_a_list_that_never_ends_ends_with_the_budget(cluster: Cluster, door: Door, names: list[str]) -> None:
    page = json_answer(200, kind="PodList", metadata={"continue": "again"}, items=[])
    cluster.proxy.fault(page, path="/pods", times=None)
    with pytest.raises(kube.Throttled, match="used up"):
        door.pods()


def test_a_namespace_without_pods_of_ours_has_none(door: Door) -> None:
    assert door.pods() == []
