"""Each fault of the proxy is what it says, seen by the official client with the platform's own kubeconfig."""

import time
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

import pytest
import urllib3
from kubernetes.client.exceptions import ApiException

from tests.cluster.api import Object
from tests.cluster.cluster import Cluster
from tests.cluster.faults import Answer, CutOff, Delay, DropAnswer, Hang, Reset, Rewrite
from tests.cluster.official import official
from tests.cluster.pods import pod
from tests.waiting import ENOUGH_SECONDS, until

REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "AlreadyExists",
    410: "Expired",
    500: "InternalError",
    503: "ServiceUnavailable",
}


@pytest.fixture
def core(cluster: Cluster) -> Any:
    """The official client."""
    return official(cluster)


def _create(cluster: Cluster, core: Any, name: str, *, read_seconds: float = ENOUGH_SECONDS) -> None:
    limits = ENOUGH_SECONDS, read_seconds
    core.create_namespaced_pod(cluster.namespace, pod(cluster, name, image="slow/agent:1"), _request_timeout=limits)


def _names(cluster: Cluster, core: Any) -> list[str]:
    listed = core.list_namespaced_pod(cluster.namespace, _request_timeout=ENOUGH_SECONDS)
    return [found.metadata.name for found in listed.items]


def test_an_answer_is_the_api_servers(cluster: Cluster, core: Any) -> None:
    for code, reason in REASONS.items():
        rule = cluster.proxy.fault(Answer(code), method="GET", path=r"/pods$")
        with pytest.raises(ApiException) as refused:
            _names(cluster, core)
        assert refused.value.status == code
        assert f'"reason": "{reason}"' in str(refused.value.body)
        assert rule.hits == 1
    assert _names(cluster, core) == []


def test_too_many_requests_say_when_to_come_again(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Answer(429, retry_after=2), times=2)
    for _ in range(2):
        with pytest.raises(ApiException) as refused:
            _names(cluster, core)
        headers: Any = refused.value.headers
        assert headers["Retry-After"] == "2"
        assert '"retryAfterSeconds": 2' in str(refused.value.body)
    assert _names(cluster, core) == []


def test_a_message_may_be_any(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Answer(403, message="exceeded quota: small"), method="POST")
    with pytest.raises(ApiException, match="exceeded quota: small"):
        _create(cluster, core, "one")
    assert cluster.pods() == []


def test_a_fault_begins_with_the_nth_request_that_matches(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Answer(500), method="GET", path=r"/pods$", nth=3, times=2)
    codes = []
    for _ in range(5):
        try:
            codes.append(len(_names(cluster, core)))
        except ApiException as refused:
            codes.append(refused.status)
    assert codes == [0, 0, 500, 500, 0]


def test_a_fault_without_an_end_lasts_until_it_is_healed(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Answer(500), times=None)
    for _ in range(3):
        with pytest.raises(ApiException):
            _names(cluster, core)
    cluster.proxy.heal()
    assert _names(cluster, core) == []


def test_a_removed_rule_happens_no_more(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Answer(500), times=None).remove()
    assert _names(cluster, core) == []


def test_a_hanging_request_has_no_answer_and_does_nothing(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Hang(), method="POST")
    began = time.monotonic()
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        _create(cluster, core, "one", read_seconds=1)
    assert time.monotonic() - began > 0.9
    assert cluster.pods() == []
    assert _names(cluster, core) == []  # others get through


def test_a_hanging_request_breaks_when_the_faults_are_healed(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Hang(), method="GET")
    errors = _in_background(partial(core.list_namespaced_pod, cluster.namespace, _request_timeout=(5, 30)))
    until("it hangs", lambda: cluster.proxy.count("list", "pods"))
    cluster.proxy.heal()
    until("it is told", lambda: errors)


def test_a_list_that_is_cut_off_is_no_list(cluster: Cluster, core: Any) -> None:
    _create(cluster, core, "one")
    cluster.proxy.fault(CutOff(), method="GET")
    with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
        _names(cluster, core)
    assert _names(cluster, core) == ["one"]


def test_a_broken_connection_did_nothing(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Reset(), method="POST")
    with pytest.raises(urllib3.exceptions.ProtocolError, match="Connection aborted"):
        _create(cluster, core, "one")
    assert cluster.pods() == []


def test_a_dropped_answer_leaves_what_was_done(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(DropAnswer(), method="POST")
    with pytest.raises(urllib3.exceptions.ProtocolError, match="Connection aborted"):
        _create(cluster, core, "one")
    assert [found["metadata"]["name"] for found in cluster.pods()] == ["one"]
    with pytest.raises(ApiException, match="already exists"):
        _create(cluster, core, "one")


def test_a_delayed_request_is_carried_out_later(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Delay(0.5), method="POST")
    began = time.monotonic()
    _create(cluster, core, "one")
    assert time.monotonic() - began >= 0.5
    assert [found["metadata"]["name"] for found in cluster.pods()] == ["one"]


def test_an_answer_may_be_rewritten(cluster: Cluster, core: Any) -> None:
    def without_items(listed: Object) -> Object:
        return {**listed, "items": []}

    _create(cluster, core, "one")
    cluster.proxy.fault(Rewrite(without_items), method="GET", path=r"/pods$")
    assert _names(cluster, core) == []
    assert _names(cluster, core) == ["one"]


def test_requests_are_counted_by_what_they_do(cluster: Cluster, core: Any) -> None:
    _create(cluster, core, "one")
    core.read_namespaced_pod("one", cluster.namespace)
    core.patch_namespaced_pod("one", cluster.namespace, {"metadata": {"labels": {"a": "b"}}})
    _names(cluster, core)
    core.delete_namespaced_pod("one", cluster.namespace)
    verbs = ["create", "get", "patch", "list", "delete"]
    assert [(seen.verb, seen.resource, seen.status) for seen in cluster.proxy.requests] == [
        (verb, "pods", 201 if verb == "create" else 200) for verb in verbs
    ]
    assert cluster.proxy.count() == 5
    assert cluster.proxy.count("create", "pods") == 1
    cluster.proxy.forget()
    assert cluster.proxy.count() == 0


def test_severed_connections_break_what_is_under_way(cluster: Cluster, core: Any) -> None:
    cluster.proxy.fault(Delay(30), method="GET")
    errors = _in_background(partial(core.list_namespaced_pod, cluster.namespace, _request_timeout=(5, 30)))
    until("it is under way", lambda: cluster.proxy.count("list", "pods"))
    cluster.proxy.sever()
    until("it is told", lambda: errors)
    assert _names(cluster, core) == []


def _in_background(ask: Callable[[], object]) -> list[Exception]:
    """Ask in a thread; return the list that will hold the error that this ends with."""
    errors: list[Exception] = []

    def attempt() -> None:
        try:
            ask()
        except urllib3.exceptions.ProtocolError as error:
            errors.append(error)

    Thread(target=attempt, daemon=True).start()
    return errors
