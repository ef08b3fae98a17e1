"""A node whose containers are processes of this machine; to the API server it is like any other."""

import os
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import httpx

from tests import bare
from tests.cluster import pod_status
from tests.cluster.api import Api, Refused
from tests.cluster.images import Images
from tests.cluster.kubelet import Kubelet
from tests.cluster.node_object import OWNER, node_object
from tests.cluster.pod_life import PodLife
from tests.e2e.parts import REPOSITORY
from tests.waiting import until

IN_USE_SECONDS = 60.0


class ProcessNode:
    """It runs pods of the namespace `owner`, whose name stands in the taint that keeps other pods away. A context: with
    it every process ends.
    """

    def __init__(self, api: Api, name: str, *, owner: str, **allocatable: str) -> None:
        self.name = name
        # A short path: sockets of providers lie in the folders of pods, and theirs may have 107 characters (unix(7)).
        self._folder = Path(mkdtemp(prefix="node-"))
        self.environment = _of_image(self._folder)
        self._images = Images()
        self._api, self._owner = api, owner
        self._allocatable = allocatable
        self._kubelet: Kubelet | None = None

    def __enter__(self) -> "ProcessNode":
        self._api.create("/api/v1/nodes", node_object(self.name, self._owner, self._allocatable))
        self.come_back()
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
        rmtree(self._folder, ignore_errors=True)

    def processes(self, pod: str) -> list[int]:
        """Return the ids of the processes that run in the newest pod of a name."""
        return self._life(pod).processes()

    def output(self, pod: str) -> str:
        """Return what the newest pod of a name has printed."""
        return self._life(pod).output()

    def outputs(self) -> dict[str, str]:
        """Return what each pod has printed, by its name."""
        return {life.pod["metadata"]["name"]: life.output() for life in list(self.kubelet.lives.values())}

    def publish(self, image: str) -> None:
        """Let the image exist from now on."""
        self._images.publish(image)

    def kill(self, pod: str) -> None:
        """Kill the processes of a pod (`kill -9`)."""
        self._life(pod).kill()

    def oom_kill(self, pod: str) -> None:
        """Kill them as the kernel does when the container's memory is used up."""
        self._life(pod).kill(pod_status.out_of_memory)

    def evict(self, pod: str) -> None:
        """Fail the pod as a node does whose own memory is used up."""
        self._life(pod).kill(pod_status.evicted)

    def stall_deletions(self) -> None:
        """Leave pods Terminating, their processes ended, until `resume_deletions`."""
        self.kubelet.deletes.clear()

    def resume_deletions(self) -> None:
        """Let go of pods that were held Terminating."""
        self.kubelet.deletes.set()

    def lose(self) -> None:
        """Fall silent: nothing is said to the API and nothing heard, the processes go on."""
        self.kubelet.disconnect()

    def crash(self) -> None:
        """Lose the machine: every process is dead and nobody is told."""
        self.kubelet.stop()

    def come_back(self) -> None:
        """Be Ready, again or for the first time; what happened to pods meanwhile is told and done."""
        if self._kubelet is None or self._kubelet.is_stopped:
            self._kubelet = Kubelet(
                self._api,
                self.name,
                owner=self._owner,
                folder=self._folder,
                images=self._images,
                environment=self.environment,
            )
        self._kubelet.connect()
        until(f"the scheduler may use {self.name}", self._is_in_use, seconds=IN_USE_SECONDS)

    def remove(self) -> None:
        """Take the machine and its Node object away, as a cloud does."""
        self.crash()
        self._api.delete(f"/api/v1/nodes/{self.name}")

    @property
    def kubelet(self) -> Kubelet:
        """Its agent, as it runs or has run last."""
        assert self._kubelet, f"{self.name} was never started"
        return self._kubelet

    def _life(self, pod: str) -> PodLife:
        named = [life for life in list(self.kubelet.lives.values()) if life.pod["metadata"]["name"] == pod]
        assert named, f"{self.name} never had a pod {pod}"
        return named[-1]

    def _is_in_use(self) -> bool:
        """Return whether no taint but our own keeps pods away."""
        with suppress(httpx.TransportError, Refused):
            node = self._api.get(f"/api/v1/nodes/{self.name}")
            return [taint["key"] for taint in node["spec"].get("taints", [])] == [OWNER]
        return False


def _of_image(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": f"{bare.FOLDER}:{REPOSITORY}",
        "PYTHONUNBUFFERED": "1",
    }
