"""A cluster in memory, for tests of what is done in which order; what a real one does is seen with a real one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Any, Self

import pytest
from django.db import connection

from agents.fleet import looks
from iacplatform.base import clock
from iacplatform.base.tokens import digest
from pools import kube
from pools.errors import ClusterError, NameTaken, Replaced
from pools.models import ClusterStatus, K8sConfig, Pod, PoolToken
from pools.sightings import MANAGED_BY, PLATFORM, POOL, ROW, SeenPod


class KilledHere(BaseException):
    """The process ends here, as with `kill -9`: nothing of ours catches it."""


class Cluster:
    """What is there, and what was asked. `fault`: called before each call with its name; it may raise."""

    def __init__(self) -> None:
        self.pods: dict[str, SeenPod] = {}
        self.secrets: dict[str, str] = {}
        self.warnings: dict[str, list[str]] = {}
        self.calls: list[tuple[str, str]] = []
        self.fault: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None
        self._uids = count(1)

    def put(self, name: str, *, labels: dict[str, str] | None = None, **facts: Any) -> SeenPod:
        """Have a pod that the platform did not make."""
        known = {"phase": "Pending", "created_at": clock.now(), "annotations": {}, "uid": f"uid-{next(self._uids)}"}
        self.pods[name] = SeenPod(name=name, labels=labels or {}, **{**known, **facts})
        return self.pods[name]

    def change(self, name: str, **facts: Any) -> None:
        """Let something happen to a pod."""
        self.pods[name] = replace(self.pods[name], **facts)

    def fail(self, error: ClusterError, *, on: str = "") -> None:
        """Let every call fail from now on, or those of one name."""

        def fault(call: str) -> None:
            if on in {"", call}:
                raise error

        self.fault = fault

    def heal(self) -> None:
        """Let calls succeed again."""
        self.fault = lambda call: None

    def called(self, name: str) -> list[str]:
        """Return what this call was about, each time."""
        return [about for call, about in self.calls if call == name]

    def token_of(self, pod: Pod) -> PoolToken | None:
        """Return the token that lets in the agent which reads this pod's secret."""
        return PoolToken.objects.valid().filter(digest=digest(self.secrets[pod.name])).first()


class Door:
    """`kube.Cluster` for tests."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def pods(self) -> list[SeenPod]:
        with self._call("pods"):
            return [seen for seen in self.cluster.pods.values() if seen.is_ours]

    def create_pod(self, manifest: dict[str, Any]) -> SeenPod:
        name, labels = manifest["metadata"]["name"], manifest["metadata"]["labels"]
        with self._call("create_pod", name):
            there = self.cluster.pods.get(name)
            if there is None:
                return self.cluster.put(name, labels=labels, annotations=manifest["metadata"]["annotations"])
            if there.row != labels[ROW] or there.pool_id != labels[POOL]:
                raise NameTaken(f'pods "{name}" already exists', 409)
            return there

    def create_secret(self, manifest: dict[str, Any]) -> None:
        name = manifest["metadata"]["name"]
        with self._call("create_secret", name):
            if name in self.cluster.secrets:
                raise NameTaken(f'secrets "{name}" already exists', 409)
            self.cluster.secrets[name] = manifest["stringData"]["token"]

    def delete_secret(self, name: str) -> bool:
        with self._call("delete_secret", name):
            return self.cluster.secrets.pop(name, None) is not None

    def delete_pod(self, name: str, uid: str, grace_seconds: int | None = None) -> bool:
        with self._call("delete_pod", name):
            there = self.cluster.pods.get(name)
            if there is None:
                return False
            if there.uid != uid:
                raise Replaced(f"the UID in the precondition ({uid}) does not match", 409)
            self.cluster.pods.pop(name)
            self.cluster.secrets.pop(name, None)
            return True

    def events(self, pod_name: str) -> list[str]:
        with self._call("events", pod_name):
            return self.cluster.warnings.get(pod_name, [])

    def annotate(self, name: str, uid: str, annotations: dict[str, str | None]) -> bool:
        with self._call("annotate", name):
            there = self.cluster.pods[name]
            kept = {key: value for key, value in {**there.annotations, **annotations}.items() if value is not None}
            self.cluster.change(name, annotations=kept)
            return True

    @contextmanager
    def _call(self, call: str, about: str = "") -> Iterator[None]:
        assert not connection.in_atomic_block, "a cluster is never asked within a transaction"
        self.cluster.calls.append((call, about))
        self.cluster.fault(call)
        yield
        self.cluster.after(call)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The one cluster that every config leads to."""
    made = Cluster()
    monkeypatch.setattr(kube, "Cluster", lambda config: Door(made))
    return made


def look(config: K8sConfig | None) -> bool:
    """Look at the config's cluster."""
    assert config is not None
    return looks.look(config.pk)


def fails_and_rests(config: K8sConfig | None, seconds: float) -> bool:
    """Look at the config's cluster; return whether it rests for so long afterwards."""
    before, rest = clock.now(), timedelta(seconds=seconds)
    look(config)
    until = ClusterStatus.objects.get(config=config).not_before
    return until is not None and before + rest <= until <= clock.now() + rest


def labels(pod: Pod) -> dict[str, str]:
    """Return the labels of a pod that was made from this row."""
    return {MANAGED_BY: PLATFORM, POOL: pod.pool_id, ROW: str(pod.pk)}


def at(moment: str) -> datetime:
    """Return a moment of a day."""
    return datetime.fromisoformat(f"2026-03-02T{moment}+00:00")
