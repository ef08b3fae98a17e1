"""One run of a node's agent: it says that the node is well, follows the pods that are bound to it, and lets them live."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import httpx

from tests.cluster.api import Api, Object, Refused, Watch
from tests.cluster.images import Images
from tests.cluster.node_object import event_of, ready_condition
from tests.cluster.pod_life import PodLife, Stopped

BEAT_SECONDS = 1.0
AGAIN_SECONDS = 0.2
"""Between two attempts to reach an API server that is away."""

Answer = TypeVar("Answer")


class Kubelet:
    """Runs the pods of one namespace, its `owner`. `images` and `environment` are those of its node; `folder` has a
    folder for each pod.
    """

    def __init__(
        self, api: Api, node: str, *, owner: str, folder: Path, images: Images, environment: dict[str, str]
    ) -> None:
        self.images, self.environment = images, environment
        self.lives: dict[str, PodLife] = {}
        self.deletes = Event()
        self.deletes.set()
        self._api, self._node, self._owner, self._folder = api, node, owner, folder
        self._online, self._stopped = Event(), Event()
        self._online.set()
        self._watching: Watch | None = None
        self._threads = [Thread(target=loop, name=node, daemon=True) for loop in (self._beat, self._look_after_pods)]
        for thread in self._threads:
            thread.start()

    @property
    def is_stopped(self) -> bool:
        """Whether it has ended for good."""
        return self._stopped.is_set()

    def disconnect(self) -> None:
        """Say nothing more to the API and hear nothing."""
        self._online.clear()
        if self._watching:
            self._watching.end()

    def connect(self) -> None:
        """Reach the API again."""
        self._online.set()

    def stop(self) -> None:
        """End at once with every process of every pod; the API is not told."""
        self._stopped.set()
        self.disconnect()
        for event in (self._online, self.deletes):
            event.set()  # who waits sees that it is over
        for thread in self._threads:
            thread.join()
        for life in self.lives.values():
            life.end(0)
            life.kill()
            life.join()

    def report(self, pod: Object, status: Object) -> None:
        """Write the status of a pod, unless it is gone."""
        change = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        self._patiently(lambda: self._api.patch(f"{_path(pod)}/status", change, kind="strategic-merge"))

    def event(self, pod: Object, reason: str, message: str) -> None:
        """Record a warning about a pod, unless its namespace is gone."""
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/events"
        self._patiently(lambda: self._api.create(path, event_of(pod, self._node, reason, message)))

    def remove(self, pod: Object) -> None:
        """Take the pod's object away, once nothing of it runs."""
        self._wait_for(self.deletes)
        self._patiently(lambda: self._api.delete(_path(pod), grace=0, uid=pod["metadata"]["uid"]))

    def secret(self, namespace: str, name: str) -> Object | None:
        """Return a Secret, None where there is none."""
        return self._patiently(lambda: self._api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}"))

    def _wait_for(self, event: Event) -> None:
        event.wait()
        if self.is_stopped:
            raise Stopped

    def _patiently(self, ask: Callable[[], Answer]) -> Answer | None:
        """Return the answer, None where the thing is gone or is another one; as often as it takes to get an answer."""
        while True:
            self._wait_for(self._online)
            try:
                return ask()
            except httpx.TransportError:
                self._stopped.wait(AGAIN_SECONDS)
            except Refused as error:
                if error.code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return None
                self._stopped.wait(AGAIN_SECONDS)

    def _beat(self) -> None:
        while not self.is_stopped:
            self._online.wait()
            with suppress(httpx.TransportError, Refused):
                self._api.patch(f"/api/v1/nodes/{self._node}/status", ready_condition(), kind="strategic-merge")
            self._stopped.wait(BEAT_SECONDS)

    def _look_after_pods(self) -> None:
        while not self.is_stopped:
            self._online.wait()
            with suppress(httpx.TransportError, Refused, ValueError):
                self._follow()
            self._stopped.wait(AGAIN_SECONDS)

    def _follow(self) -> None:
        """Take over the pods as they are, then each change, until the connection ends."""
        # Of one namespace: a user's cluster binds pods of its own to every node, and those must not run here.
        pods, mine = f"/api/v1/namespaces/{self._owner}/pods", {"fieldSelector": f"spec.nodeName={self._node}"}
        found = self._api.get(pods, **mine)
        self._take_over(found["items"])
        self._watching = self._api.watch(pods, found["metadata"]["resourceVersion"], **mine)
        if self.is_stopped or not self._online.is_set():
            self._watching.end()
        for kind, pod in self._watching:
            if kind == "ERROR" or not self._online.is_set():
                return
            self._see(pod, is_gone=kind == "DELETED")

    def _take_over(self, pods: Iterable[Object]) -> None:
        there = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid, life in list(self.lives.items()):
            if uid not in there:
                self._see(life.pod, is_gone=True)
        for pod in there.values():
            self._see(pod)

    def _see(self, pod: Object, *, is_gone: bool = False) -> None:
        metadata = pod["metadata"]
        life = self.lives.get(metadata["uid"])
        if life is None and not is_gone and not self.is_stopped:
            life = self.lives[metadata["uid"]] = PodLife(self, pod, self._folder / metadata["uid"][:8])
            life.start()
        if life and (is_gone or "deletionTimestamp" in metadata):
            life.end(0 if is_gone else metadata.get("deletionGracePeriodSeconds", 30))


def _path(pod: Object) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
