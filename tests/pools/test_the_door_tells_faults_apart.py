"""Every fault between us and a cluster, at every verb, ends in the error that says what to do about it."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pools import kube, pod_specs, wire
from pools.kube import Cluster as Door
from pools.models import ClusterStatus, Pod
from tests.cluster.cluster import Cluster
from tests.cluster.faults import Answer, CutOff, DropAnswer, Fault, Hang, Reset
from tests.pools.answers import Raw, json_answer

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

TOKEN = "iacp_do-not-tell"


Verb = Callable[[Door, Pod], Any]
VERBS: dict[str, Verb] = {
    "version": lambda door, row: door.version(),
    "namespace": lambda door, row: door.namespace_exists(),
    "may": lambda door, row: door.may("create", "pods"),
    "list": lambda door, row: door.pods(),
    "events": lambda door, row: door.events(row.name),
    "dry run": lambda door, row: door.dry_run(pod_specs.pod(row)),
    "create": lambda door, row: door.create_pod(pod_specs.pod(row)),
    "annotate": lambda door, row: door.annotate(row.name, "uid", {"a": "b"}),
    "delete": lambda door, row: door.delete_pod(row.name, "uid"),
    "create secret": lambda door, row: door.create_secret(pod_specs.secret(row, TOKEN, "uid")),
    "delete secret": lambda door, row: door.delete_secret(row.name),
}

QUOTA = 'pods "iac-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5'
SECURITY = 'pods "iac-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
ACCOUNT = 'pods "iac-1" is forbidden: error looking up service account ci/builder: serviceaccount "builder" not found'
WEBHOOK = 'admission webhook "policy.example" denied the request: images come from registry.example'
INVALID = 'Pod "iac-1" is invalid: spec.containers[0].image: Required value'
NAMESPACE = 'namespaces "gone" not found'
ENDING = 'pods "iac-1" is forbidden: unable to create new content in namespace x because it is being terminated'
NOT_OURS = "not as Kubernetes does"

FAULTS: dict[str, tuple[Fault, type[kube.ClusterError], int, str]] = {
    "401": (Answer(401), kube.Denied, 401, "Unauthorized"),
    "403 of rights": (Answer(403), kube.Denied, 403, "cannot do that"),
    "403 of a quota": (Answer(403, message=QUOTA), kube.QuotaExceeded, 403, "limited: pods=5"),
    "403 of pod security": (Answer(403, message=SECURITY), kube.Refused, 403, "runAsNonRoot"),
    "403 of a missing account": (Answer(403, message=ACCOUNT), kube.Refused, 403, '"builder" not found'),
    "403 of a webhook": (Answer(403, message=WEBHOOK), kube.Refused, 403, "images come from"),
    "403 of a namespace that ends": (Answer(403, message=ENDING), kube.Refused, 403, "being terminated"),
    "403 of a login page": (Raw(b"<html>Log in</html>", 403), kube.Denied, 403, NOT_OURS),
    "422": (Answer(422, "Invalid", INVALID), kube.Refused, 422, "Required value"),
    "400": (Answer(400, "BadRequest", "unknown field spec.x"), kube.Refused, 400, "unknown field"),
    "404 of the namespace": (Answer(404, message=NAMESPACE), kube.Refused, 404, "gone"),
    "404 of another server": (Raw(b"404 page not found", 404), kube.Unreachable, 404, NOT_OURS),
    "409 of the object": (Answer(409, "Conflict", "uid mismatch"), kube.Replaced, 409, "uid mismatch"),
    "409 of a busy quota": (
        json_answer(409, kind="Status", message="the object has been modified", details={"kind": "resourcequotas"}),
        kube.Throttled,
        409,
        "has been modified",
    ),
    "410": (Answer(410), kube.Unreachable, 410, "too old"),
    "429": (Answer(429, retry_after=7), kube.Throttled, 429, "Too many requests"),
    "429 without a time": (Answer(429), kube.Throttled, 429, "Too many requests"),
    "500": (Answer(500), kube.Unreachable, 500, "etcdserver"),
    "503": (Answer(503), kube.Unreachable, 503, "unable to handle"),
    "503 with a time": (Answer(503, retry_after=3), kube.Unreachable, 503, "unable to handle"),
    "504": (Answer(504), kube.Unreachable, 504, "deadline exceeded"),
    "502 of a balancer": (Raw(b"<html>Bad gateway</html>", 502), kube.Unreachable, 502, NOT_OURS),
    "302": (Raw(b"", 302, (("Location", "https://127.0.0.1:1/"),)), kube.Unreachable, 302, NOT_OURS),
    "200 of HTML": (Raw(b"<html>Welcome</html>"), kube.Unreachable, 200, "not JSON"),
    "200 of nothing": (Raw(b""), kube.Unreachable, 200, "not JSON"),
    "200 of half an object": (Raw(b'{"kind": "Po'), kube.Unreachable, 200, "not all of it"),
    "200 of a list of nothing": (Raw(b"[]"), kube.Unreachable, 200, NOT_OURS),
    "200 of an object of somebody": (Raw(b'{"ok": true}'), kube.Unreachable, 200, NOT_OURS),
    "200 of brackets without end": (Raw(b"[" * 100_000), kube.Unreachable, 200, "not JSON"),
    "a hang": (Hang(), kube.Unreachable, 0, "timed out"),
    "a reset": (Reset(), kube.Unreachable, 0, "No answer"),
    "an answer cut off": (CutOff(0.5), kube.Unreachable, 0, "IncompleteRead"),
    "an answer lost": (DropAnswer(), kube.Unreachable, 0, "No answer"),
}


@contextmanager
def faulty(cluster: Cluster, fault: Fault) -> Iterator[None]:
    """Let every call end in this fault; that of a hang comes soon, for how long it takes does not change what it is."""
    cluster.proxy.fault(fault, times=None)
    with pytest.MonkeyPatch.context() as hasty:
        if isinstance(fault, Hang):
            hasty.setattr(wire, "READ_SECONDS", 0.5)
        yield
    cluster.proxy.heal()


def told(caught: list[kube.ClusterError], caplog: pytest.LogCaptureFixture) -> str:
    """Return all that anybody could read of the errors."""
    traces = ["".join(traceback.format_exception(error)) for error in caught]
    return "\n".join([*traces, *[error.words for error in caught], caplog.text])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault(cluster: Cluster, door: Door, row: Pod, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    happens, expected, code, words = FAULTS[fault]
    caught = []
    for name, verb in VERBS.items():
        ClusterStatus.objects.all().delete()
        with faulty(cluster, happens), pytest.raises(kube.ClusterError) as raised:
            verb(door, row)
        assert (type(raised.value), raised.value.status) == (expected, code), (name, raised.value)
        assert words in raised.value.words, (name, raised.value.words)
        caught.append(raised.value)
    credentials = json.loads(cluster.kubeconfig)["users"][0]["user"]["token"]
    assert TOKEN not in told(caught, caplog) and credentials not in told(caught, caplog)


@pytest.mark.parametrize(
    ("fault", "seconds"), [("429", 7.0), ("429 without a time", 1.0), ("409 of a busy quota", 1.0)]
)
def test_a_throttled_call_says_for_how_long(cluster: Cluster, door: Door, fault: str, seconds: float) -> None:
    cluster.proxy.fault(FAULTS[fault][0])
    with pytest.raises(kube.Throttled) as raised:
        door.version()
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize("fault", ["429", "503 with a time"])
def test_a_cluster_that_asks_for_time_gets_it(cluster: Cluster, door: Door, fault: str) -> None:
    cluster.proxy.fault(FAULTS[fault][0])
    with pytest.raises(kube.ClusterError):
        door.version()
    cluster.proxy.forget()
    with pytest.raises(kube.Throttled, match="asked to be left alone until"):
        door.pods()
    assert cluster.proxy.count() == 0


def test_nothing_is_tried_twice(cluster: Cluster, door: Door, row: Pod) -> None:
    for fault in (Reset(), DropAnswer(), Answer(503), Hang()):
        cluster.proxy.forget()
        with faulty(cluster, fault), pytest.raises(kube.Unreachable):
            door.create_pod(pod_specs.pod(row))
        assert cluster.proxy.count() == 1


def test_after_a_broken_answer_the_next_call_is_answered(cluster: Cluster, door: Door) -> None:
    for fault in (CutOff(0.5), Raw(b"<html>"), Reset(), DropAnswer()):
        cluster.proxy.fault(fault)
        with pytest.raises(kube.Unreachable):
            door.version()
        assert door.version().startswith("v1.")


def test_words_without_end_are_cut(cluster: Cluster, door: Door) -> None:
    cluster.proxy.fault(Answer(422, "Invalid", "x" * 100_000))
    with pytest.raises(kube.Refused) as raised:
        door.version()
    assert len(raised.value.words) == 2000


def test_a_secret_that_the_cluster_quotes_is_hidden(cluster: Cluster, door: Door, row: Pod) -> None:
    cluster.proxy.fault(Answer(422, "Invalid", f"Secret is invalid: stringData.token: Invalid value: {TOKEN}"))
    with pytest.raises(kube.Refused, match=r"\[hidden\]") as raised:
        door.create_secret(pod_specs.secret(row, TOKEN, "uid"))
    assert TOKEN not in str(raised.value)
