"""Why pods do not start, in the words that the real control plane and a kubelet have for it."""

import pytest

from tests.cluster.api import Object, Refused
from tests.cluster.cluster import Cluster
from tests.cluster.pods import container_state, has_ended, is_running, pod, python
from tests.waiting import until


def test_an_image_that_is_missing_is_pulled_again_and_again(cluster: Cluster) -> None:
    cluster.create("pods", pod(cluster, "one", "python", "-c", "", image="missing/agent:1"))
    again = cluster.until_pod("one", lambda seen: _waits_as(seen) == "ImagePullBackOff")
    assert 'Back-off pulling image "missing/agent:1"' in container_state(again)["waiting"]["message"]
    assert again["status"]["phase"] == "Pending"
    until("both are events", lambda: _failures(cluster) == {"failed to pull and unpack", "Back-off pulling"})
    cluster.node.publish("missing/agent:1")
    assert cluster.until_pod("one", has_ended)["status"]["phase"] == "Succeeded"


def test_a_slow_image_keeps_its_pod_pending(cluster: Cluster) -> None:
    cluster.create("pods", pod(cluster, "one", "python", "-c", "", image="slow/agent:1"))
    seen = cluster.until_pod("one", lambda seen: "waiting" in container_state(seen))
    assert container_state(seen)["waiting"] == {"reason": "ContainerCreating"}
    cluster.node.publish("slow/agent:1")
    cluster.until_pod("one", has_ended)


def test_the_scheduler_says_what_is_missing(cluster: Cluster) -> None:
    resources = {"requests": {"cpu": "9"}}
    cluster.create("pods", python(cluster, "one", "", resources=resources))
    pod = cluster.until_pod("one", lambda seen: seen["status"].get("conditions"))
    (condition,) = [found for found in pod["status"]["conditions"] if found["type"] == "PodScheduled"]
    assert condition["reason"] == "Unschedulable"
    assert "1 Insufficient cpu" in condition["message"]
    until("it is an event too", lambda: "FailedScheduling" in [event["reason"] for event in cluster.events("one")])
    cluster.another_node(cpu="16")
    cluster.until_pod("one", has_ended)


def test_a_small_node_takes_no_more_than_it_has(cluster: Cluster) -> None:
    node = cluster.another_node(pods="1", cpu="32")
    for name in ("one", "two"):
        cluster.create("pods", pod(cluster, name, image="silent/agent:1", resources={"requests": {"cpu": "10"}}))
    until("one of them runs", lambda: [is_running(found) for found in cluster.pods()].count(True) == 1)
    (running,) = [found for found in cluster.pods() if is_running(found)]
    assert running["spec"]["nodeName"] == node.name


def test_a_quota_refuses_a_pod_in_its_own_words(cluster: Cluster) -> None:
    cluster.quota(pods=0)
    with pytest.raises(
        Refused, match="exceeded quota: tests, requested: pods=1, used: pods=0, limited: pods=0"
    ) as refused:
        cluster.create("pods", python(cluster, "one", ""))
    assert refused.value.code == 403
    cluster.lift_quota()
    until("a pod may be", lambda: _is_created(cluster))


def test_a_pod_that_is_not_restricted_is_refused(cluster: Cluster) -> None:
    pod = python(cluster, "one", "")
    pod["spec"]["hostNetwork"] = True
    with pytest.raises(Refused, match='violates PodSecurity "restricted:latest": host namespaces'):
        cluster.create("pods", pod)


def _is_created(cluster: Cluster) -> bool:
    try:
        return bool(cluster.create("pods", python(cluster, "one", "")))
    except Refused:
        return False


def _waits_as(pod: Object) -> str:
    """Return the reason for which the pod's container waits; empty when it does not."""
    reason: str = container_state(pod).get("waiting", {}).get("reason", "")
    return reason


def _failures(cluster: Cluster) -> set[str]:
    """Return how the messages about pulling the pod's image begin."""
    messages = [event["message"] for event in cluster.events("one") if event["reason"] == "Failed"]
    return {message.partition(" image")[0] for message in messages}
