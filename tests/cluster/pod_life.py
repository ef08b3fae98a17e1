"""One pod on a process node, from the moment it is bound to the moment its object is gone."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from tests import processes
from tests.cluster import pod_status
from tests.cluster.api import Object
from tests.cluster.containers import Container, prepared
from tests.cluster.images import Images, scripted
from tests.cluster.pod_object import Denied, NotYet, only
from tests.cluster.spawning import spawn

LOOK_SECONDS = 0.05
AGAIN_SECONDS = 0.5
"""Between two attempts to pull an image or to find a Secret; a kubelet takes ten and more."""


class Stopped(Exception):
    """The node has ended: nothing more may be said to the API."""


class Host(Protocol):
    """What a pod needs of its node. All that speaks to the API waits until it can, or raises `Stopped`."""

    images: Images
    environment: dict[str, str]

    def report(self, pod: Object, status: Object) -> None:
        """Write the status of a pod, unless it is gone."""

    def event(self, pod: Object, reason: str, message: str) -> None:
        """Record a warning about a pod."""

    def remove(self, pod: Object) -> None:
        """Take the pod's object away, once nothing of it runs."""

    def secret(self, namespace: str, name: str) -> Object | None:
        """Return a Secret, None where there is none."""


class PodLife(Thread):
    """`pod` is as it was when the node saw it first."""

    def __init__(self, host: Host, pod: Object, folder: Path) -> None:
        super().__init__(name=f"pod {pod['metadata']['name']}", daemon=True)
        folder.mkdir(mode=0o700, exist_ok=True)  # a node that was started again finds what it had
        self.pod, self.folder = pod, folder
        self.log = folder / "output"
        self._host = host
        self._process: subprocess.Popen[bytes] | None = None
        self._ends = Event()
        self._grace_seconds = 30
        self._why_dead: Callable[[Object, int], Object] = pod_status.terminated

    def end(self, grace_seconds: int) -> None:
        """The pod is to go: its process has so long to end."""
        self._grace_seconds = grace_seconds
        self._ends.set()

    def kill(self, why: Callable[[Object, int], Object] = pod_status.terminated) -> None:
        """End every process of it at this instruction; `why` makes the status of the exit code."""
        self._why_dead = why
        self._kill_all()

    def processes(self) -> list[int]:
        """Return the ids of all that runs in this pod."""
        return processes.of(self.folder)

    def output(self) -> str:
        """Return what its processes have printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def run(self) -> None:
        """Live."""
        with suppress(Stopped):
            self._live()
            self._ends.wait()
            self._go()

    def _live(self) -> None:
        phase = self.pod["status"].get("phase", "Pending")
        if phase == "Running":
            self._host.report(self.pod, pod_status.lost_track(self.pod))
        elif phase == "Pending" and (container := self._container()):
            self._run_process(container)

    def _container(self) -> Container | None:
        """Return what to run as soon as image and Secrets are there; None when the pod is to go before that."""
        attempt, said = 0, ("", "")
        while not self._ends.is_set():
            try:
                self._host.images.pull(only(self.pod)["image"], attempt)
                return prepared(scripted(self.pod), self._secret, self.folder, self._host.environment)
            except NotYet as error:
                said = self._say(error, said)
            except Denied as error:
                self._host.report(self.pod, pod_status.terminated(self.pod, 1, message=str(error)))
                return None
            attempt += 1
            self._ends.wait(AGAIN_SECONDS)
        return None

    def _say(self, error: NotYet, before: tuple[str, str]) -> tuple[str, str]:
        words = (error.reason, str(error))
        if words != before:
            is_own_reason = error.reason != "ContainerCreating"
            self._host.report(self.pod, pod_status.waiting(self.pod, error.reason, str(error) if is_own_reason else ""))
            if str(error):
                self._host.event(self.pod, "Failed" if is_own_reason else "FailedMount", str(error))
        return words

    def _secret(self, name: str) -> Object | None:
        return self._host.secret(self.pod["metadata"]["namespace"], name)

    def _run_process(self, container: Container) -> None:
        cwd = self.folder / "root"
        cwd.mkdir()
        self._process = spawn(container.command, environment=container.environment, cwd=cwd, log=self.log)
        self._host.report(self.pod, pod_status.running(self.pod))
        while self._process.poll() is None and not self._ends.wait(LOOK_SECONDS):
            pass
        if self._process.poll() is not None:
            self._tell_end(self._process.returncode)

    def _go(self) -> None:
        if self._process and self._process.poll() is None:
            self._terminate(self._process)
            self._tell_end(self._process.returncode)
        self._kill_all()
        self._host.remove(self.pod)

    def _terminate(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        began = time.monotonic()
        while not _ended(process, LOOK_SECONDS):
            if time.monotonic() - began >= self._grace_seconds:  # a second deletion may have made it shorter
                self._kill_all()

    def _tell_end(self, code: int) -> None:
        self._kill_all()  # with the first process of a container all others end
        status = self._why_dead(self.pod, 128 - code if code < 0 else code)
        self._host.report(self.pod, pod_status.with_last_words(status, self.pod, self.output()))

    def _kill_all(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None
